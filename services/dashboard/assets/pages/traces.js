// Recent traces, and one of them as a waterfall.
import { ask, poll } from '../api.js';
import { fill, h } from '../dom.js';
import { duration, plural, preciseClock } from '../format.js';
import { badge, empty, failure, heading, panel, table } from '../ui.js';

/** What the list shows: kept while the page is open. */
const wanted = { onlyErrors: false, slowMs: 0, model: '' };

export function start(root, [traceId]) {
  return traceId ? startOne(root, traceId) : startList(root);
}

function startList(root) {
  const list = h('div', {});
  const aside = h('span', {}, '');
  let traces;
  const show = () => {
    if (traces === undefined) return;
    const shown = traces.filter(isWanted);
    fill(aside, `${shown.length} of ${traces.length}`);
    fill(list, traces.length === 0 ? none() : shown.length === 0 ? empty('No trace fits the filter.') : rows(shown));
  };
  const filter = (change) => (event) => {
    change(event.target);
    show();
  };
  root.append(
    heading('Traces', 'Where the time of single requests went, from the router down into the engines.'),
    h(
      'form',
      { class: 'filters', onsubmit: (event) => event.preventDefault() },
      h(
        'label',
        { class: 'check' },
        h('input', {
          type: 'checkbox',
          checked: wanted.onlyErrors,
          onchange: filter(({ checked }) => (wanted.onlyErrors = checked)),
        }),
        'Errors only',
      ),
      h(
        'label',
        {},
        'At least',
        h('input', {
          ...{ type: 'number', min: '0', step: 'any', value: wanted.slowMs || '', placeholder: '0', class: 'short' },
          oninput: filter(({ value }) => (wanted.slowMs = Number(value) || 0)),
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
    ),
    panel('Recent', { aside }, list),
  );
  const stop = poll(
    '/api/traces?limit=500',
    2_000,
    (body) => {
      ({ traces } = body);
      show();
    },
    (error) => fill(list, failure(error)),
  );
  return { stop };
}

function none() {
  return empty(
    'No trace has been kept yet. Traces are sampled; send a request, or sample all of them:',
    'OTEL_TRACES_SAMPLER=always_on npm start',
  );
}

function isWanted(trace) {
  if (wanted.onlyErrors && trace.error === '') return false;
  return trace.durationMs >= wanted.slowMs && modelOf(trace).includes(wanted.model);
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
        name: 'Trace',
        // Its own page has the whole name.
        cell: ({ traceId, name }) =>
          h('a', { href: `#/traces/${traceId}`, class: 'name', title: name }, name.replace(/^tandem\.v1\./, '')),
      },
      { name: 'Outcome', cell: ({ error }) => (error === '' ? badge('OK', 'OK') : badge('ERROR', error.slice(0, 60))) },
      { name: 'Duration', number: true, cell: ({ durationMs }) => duration(durationMs) },
      { name: '', cell: ({ durationMs }) => bar(durationMs / longest) },
      { name: 'Spans', number: true, cell: ({ spans }) => String(spans) },
      { name: 'Model', cell: (trace) => h('span', { class: 'name' }, modelOf(trace) || '–') },
      { name: 'Services', wide: true, cell: ({ services }) => services.join(', ') },
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
  ask(`/api/traces/${encodeURIComponent(traceId)}`).then(
    ({ spans }) => fill(body, ...waterfall(spans)),
    (error) => fill(body, failure(error)),
  );
}

/** Spans in the order of a walk down from the roots, with their depth. A span whose parent is not here is a root. */
export function ordered(spans) {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentSpanId }) => (ids.has(parentSpanId) ? parentSpanId : ''));
  const seen = new Set();
  const walk = (parent, depth) =>
    (children.get(parent) ?? [])
      .toSorted((a, b) => a.startMs - b.startMs)
      .flatMap((span) => {
        if (seen.has(span.spanId)) return [];
        seen.add(span.spanId);
        return [{ ...span, depth }, ...walk(span.spanId, depth + 1)];
      });
  return walk('', 0);
}

function waterfall(spans) {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const totalMs = Math.max(...spans.map((span) => span.startMs + span.durationMs)) - startMs || 1;
  const services = [...new Set(spans.map(({ service, instance }) => `${service} ${instance}`))];
  const failed = spans.filter(({ error }) => error !== '');
  const scale = [0, 0.25, 0.5, 0.75, 1].map((at) => h('span', {}, duration(totalMs * at)));
  return [
    h(
      'p',
      { class: 'note' },
      `${duration(totalMs)} from ${preciseClock(startMs)}, ${plural(spans.length, 'span')}, ${plural(failed.length, 'error')}. Open a span for its attributes.`,
    ),
    h(
      'section',
      { class: 'panel waterfall', 'aria-label': 'Spans' },
      h(
        'div',
        { class: 'span-row scale', 'aria-hidden': 'true' },
        h('span', {}),
        h('span', { class: 'scale-marks' }, ...scale),
      ),
      ...ordered(spans).map((span) => row(span, services, startMs, totalMs)),
    ),
  ];
}

function row(span, services, startMs, totalMs) {
  const left = ((span.startMs - startMs) / totalMs) * 100;
  const width = (span.durationMs / totalMs) * 100;
  // Its time stands beside the bar, on the side where there is room, or within it.
  const side = left + width < 75 ? '' : left > 25 ? 'before' : 'within';
  const index = services.indexOf(`${span.service} ${span.instance}`);
  return h(
    'details',
    { class: `span ${span.error ? 'failed' : ''}` },
    h(
      'summary',
      { class: 'span-row' },
      h(
        'span',
        { class: 'span-name', vars: { '--depth': String(Math.min(span.depth, 12)) } },
        h('span', {}, span.name),
        h('span', { class: 'dim-text' }, span.instance || span.service),
      ),
      h(
        'span',
        { class: 'span-track' },
        h('span', {
          class: `span-bar service-${index % 5}`,
          vars: { '--left': `${left}%`, '--width': `${width}%` },
        }),
        h(
          'span',
          {
            class: `span-time ${side}`,
            vars: { '--left': `${left}%`, '--end': `${left + width}%` },
          },
          duration(span.durationMs),
          span.error && ' · failed',
        ),
      ),
    ),
    details(span, startMs),
  );
}

function details(span, startMs) {
  const pairs = Object.entries(span.attributes).map(([name, value]) => [name, String(value)]);
  return h(
    'div',
    { class: 'span-details' },
    span.error && h('p', { class: 'why' }, span.error),
    h(
      'dl',
      { class: 'facts' },
      ...[
        ['service', `${span.service} ${span.instance}`],
        ['kind', span.kind],
        ['begins', `+${duration(span.startMs - startMs)}`],
        ['span id', span.spanId],
        ...pairs,
      ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
    span.events.length > 0 &&
      h(
        'ol',
        { class: 'timeline' },
        ...span.events.map(({ name, timeMs, attributes }) =>
          h(
            'li',
            {},
            h('time', {}, `+${duration(timeMs - startMs)}`),
            h('span', {}, name),
            h(
              'span',
              { class: 'dim-text' },
              Object.entries(attributes)
                .map(([key, value]) => `${key}=${value}`)
                .join(' '),
            ),
          ),
        ),
      ),
  );
}
