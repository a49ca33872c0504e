// The list of stored traces, in pages, and one trace as a waterfall.
import { poll } from '../api.js';
import { fill, h } from '../dom.js';
import { duration, preciseClock } from '../format.js';
import { badge, empty, failure, heading, panel, table } from '../ui.js';
import { waterfall } from './waterfall.js';

const PAGE_SIZE = 50;
const WHOLE_ID = /^[0-9a-f]{32}$/;
const KINDS = [
  { kind: '', name: 'all' },
  { kind: 'own', name: 'from dashboard and command line' },
  { kind: 'notable', name: 'disputes and opened breakers' },
  { kind: 'failed', name: 'failed' },
  { kind: 'ordinary', name: 'others' },
];
const KIND_BADGES = { OWN: ['INFO', 'yours'], NOTABLE: ['QUARANTINED', 'notable'], FAILED: ['ERROR', 'failed'] };

/** The list's filter, kept while the page is open. */
const wanted = { kind: '', errors: false, min_ms: '', model: '', id: '' };

export function start(root, [traceId]) {
  return traceId ? startOne(root, traceId) : startList(root);
}

function startList(root) {
  const list = h('div', {});
  const pages = h('div', { class: 'pages' });
  /** `before` of the previous pages, newest first; the first page has none. */
  let trail = [];
  let before;
  let stop = () => undefined;
  const load = () => {
    stop();
    // Only the first page is live; other pages stay unchanged, so that their rows can be read.
    const intervalMs = before === undefined ? 2_000 : 3_600_000;
    stop = poll(`/api/traces?${queryOf(before)}`, intervalMs, show, (error) => fill(list, failure(error)));
  };
  const show = ({ traces, next }) => {
    const isFiltered = queryOf() !== queryOf(undefined, {});
    const nothing = next === undefined ? 'No trace fits.' : 'None of the newest matches. Older ones may.';
    fill(list, traces.length > 0 ? rows(traces) : isFiltered || before ? empty(nothing) : none());
    fill(
      pages,
      pageButton('Newer', trail.length > 0),
      h('span', { class: 'dim-text' }, `Page ${trail.length + 1}`),
      pageButton('Older', next !== undefined),
    );
    // The button elements are reused, so their actions are set for this answer.
    pages.firstChild.onclick = () => {
      before = trail.pop();
      load();
    };
    pages.lastChild.onclick = () => {
      trail.push(before);
      before = next;
      load();
    };
  };
  const filter = (change) => (event) => {
    change(event.target);
    trail = [];
    before = undefined;
    load();
  };
  root.append(
    heading('Traces', 'The time of single requests, from the router down to the engines.'),
    h('form', { class: 'filters', onsubmit: (event) => openWhole(event) }, ...fields(filter)),
    panel('Kept traces', { aside: 'newest first' }, list, pages),
  );
  load();
  return { stop: () => stop() };
}

function fields(filter) {
  return [
    h(
      'label',
      {},
      'Trace id',
      h('input', {
        ...{ type: 'search', name: 'id', value: wanted.id, placeholder: 'all, or a prefix', maxlength: '32' },
        oninput: filter(({ value }) => (wanted.id = value.trim().toLowerCase())),
      }),
    ),
    h(
      'label',
      {},
      'Kept',
      h(
        'select',
        { name: 'kind', onchange: filter(({ value }) => (wanted.kind = value)) },
        ...KINDS.map(({ kind, name }) => h('option', { value: kind, selected: kind === wanted.kind }, name)),
      ),
    ),
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'checkbox',
        checked: wanted.errors,
        onchange: filter(({ checked }) => (wanted.errors = checked)),
      }),
      'Errors only',
    ),
    h(
      'label',
      {},
      'At least',
      h('input', {
        ...{ type: 'number', min: '0', step: 'any', value: wanted.min_ms, placeholder: '0', class: 'short' },
        oninput: filter(({ value }) => (wanted.min_ms = value)),
      }),
      'ms',
    ),
    h(
      'label',
      {},
      'Model',
      h('input', {
        ...{ type: 'search', value: wanted.model, placeholder: 'any' },
        oninput: filter(({ value }) => (wanted.model = value.trim())),
      }),
    ),
  ];
}

function openWhole(event) {
  event.preventDefault();
  if (WHOLE_ID.test(wanted.id)) location.hash = `#/traces/${wanted.id}`;
}

function queryOf(before, { kind = '', errors = false, min_ms: minMs = '', model = '', id = '' } = wanted) {
  const pairs = { limit: PAGE_SIZE, kind, errors: errors || '', min_ms: minMs, model, id, before: before ?? '' };
  return new URLSearchParams(Object.entries(pairs).filter(([, value]) => value !== '')).toString();
}

function pageButton(name, isThere) {
  return h('button', { type: 'button', disabled: !isThere }, name);
}

function none() {
  return empty(
    'No trace is stored yet. Requests from “Try a request” and the command line are always stored; of other requests, a sample and those that fail, are slow or end in a dispute.',
    'npx tandem reason --sample dog',
  );
}

function modelOf({ attributes }) {
  const key = Object.keys(attributes).find((name) => /(^|\.)model$/.test(name));
  return key === undefined ? '' : String(attributes[key]);
}

function rows(traces) {
  const longest = Math.max(...traces.map(({ durationMs }) => durationMs));
  return table(
    [
      { name: 'Time', cell: ({ startMs }) => h('time', {}, preciseClock(startMs)) },
      {
        name: 'Id',
        cell: ({ traceId }) => h('a', { href: `#/traces/${traceId}` }, h('code', {}, traceId.slice(0, 8))),
      },
      // The trace's own page shows the full name.
      {
        name: 'Request',
        cell: ({ name }) =>
          h('span', { class: 'name', title: name }, name.replace(/^tandem\.v1\.(ReasoningService\/)?/, '')),
      },
      { name: 'Outcome', cell: ({ error }) => (error === '' ? badge('OK', 'OK') : badge('ERROR', error.slice(0, 60))) },
      { name: 'Duration', number: true, cell: ({ durationMs }) => duration(durationMs) },
      { name: '', cell: ({ durationMs }) => bar(durationMs / longest) },
      { name: 'Spans', number: true, cell: ({ spans }) => String(spans) },
      { name: 'Model', cell: (trace) => h('span', { class: 'name' }, modelOf(trace) || '–') },
      { name: 'Kept as', cell: ({ kind }) => KIND_BADGES[kind] && badge(...KIND_BADGES[kind]) },
    ],
    traces,
  );
}

function bar(share) {
  return h(
    'span',
    { class: 'meter-track', 'aria-hidden': 'true' },
    h('span', { class: 'meter-fill', vars: { '--share': `${share * 100}%` } }),
  );
}

function startOne(root, traceId) {
  const body = h('div', {}, h('p', { class: 'note' }, 'Loading…'));
  root.append(heading('Trace', traceId, h('a', { href: '#/traces', class: 'button' }, 'All traces')), body);
  // Engines send spans in batches, up to a few seconds after the answer.
  const stop = poll(
    `/api/traces/${encodeURIComponent(traceId)}`,
    3_000,
    ({ spans }) => fill(body, ...waterfall(spans)),
    (error) => fill(body, failure(error)),
  );
  return { stop };
}
