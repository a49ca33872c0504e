// The state of the router on one screen: health, load, latency, and the share of each engine.
import { alertsPanel } from '../alerts.js';
import { poll } from '../api.js';
import { barChart, timeChart } from '../charts.js';
import { fill, h } from '../dom.js';
import { bytes, bucketMs, count, duration, figures, percent, plural, rate, since, title, words } from '../format.js';
import { badge, empty, facts, failure, heading, meter, panel, table, tile } from '../ui.js';
import { engineShares, voteCounts } from './shares.js';

/** The bucket that starts at 65 µs: the first one in the chart if there are no answers. */
const EMPTY_FROM = 64;
/** Time spans of the charts, seconds. */
const RANGES = [
  { seconds: 300, name: '5 min' },
  { seconds: 900, name: '15 min' },
  { seconds: 3_600, name: '1 h' },
];
const RANGE_KEY = 'tandem-range';

export function start(root) {
  let range = RANGES.find(({ seconds }) => String(seconds) === localStorage.getItem(RANGE_KEY)) ?? RANGES[1];
  const span = () => range.seconds;
  const traffic = timeChart(
    'Inputs and errors per second',
    [
      { name: 'inputs/s', stroke: 'accent', isFilled: true },
      { name: 'errors/s', stroke: 'bad' },
    ],
    figures,
    span,
  );
  const latency = timeChart(
    'Latency over time',
    [
      { name: 'p50', stroke: 'good' },
      { name: 'p95', stroke: 'warn' },
      { name: 'p99', stroke: 'bad' },
    ],
    duration,
    span,
  );
  let first = 0;
  const spread = barChart('Distribution of latency', 180, {
    ...{ name: (i) => short(bucketMs(first + i)), format: count },
    titles: { x: 'latency', y: 'answers' },
  });
  const alerts = h('div', {});
  const tiles = h('div', { class: 'tiles' }, ...Array.from({ length: 8 }, () => tile(' ', ' ', ' ')));
  const rest = h('div', { class: 'grid' });
  const note = h('p', { class: 'chart-note' }, ' ');
  const problem = h('div', {});
  const ranges = h('div', { class: 'ranges', role: 'group', 'aria-label': 'Time that the charts show' });
  let stopPolling = () => undefined;
  const load = () => {
    stopPolling();
    fill(ranges, ...RANGES.map((each) => rangeButton(each, each === range, choose)));
    const intervalMs = Math.max(2_000, range.seconds * 5);
    stopPolling = poll(
      `/api/history?seconds=${range.seconds}`,
      intervalMs,
      (chart) => {
        fill(problem);
        const seconds = chart.timeMs.map((ms) => ms / 1_000);
        traffic.update([seconds, chart.inputsPerS, chart.errorsPerS]);
        latency.update([seconds, chart.p50Ms, chart.p95Ms, chart.p99Ms]);
      },
      (error) => fill(problem, failure(error)),
    );
  };
  const choose = (seconds) => {
    range = RANGES.find((each) => each.seconds === seconds);
    localStorage.setItem(RANGE_KEY, String(seconds));
    load();
  };
  root.append(
    heading('Overview', 'An input is one question to a model. A batch or a stream counts by its inputs.', ranges),
    alerts,
    tiles,
    problem,
    h(
      'div',
      { class: 'grid three' },
      panel('Inputs', { aside: 'per second' }, traffic.element),
      panel('Latency', { aside: 'of answered inputs' }, latency.element),
      panel('Distribution of latency', { aside: 'last minute' }, spread.element, note),
    ),
    rest,
  );
  load();
  return {
    update: ({ last }) => {
      fill(alerts, alertsPanel(last.alerts));
      fill(tiles, ...tilesOf(last));
      const { buckets } = last.minute;
      const [from, to] = [buckets.findIndex((n) => n > 0), buckets.findLastIndex((n) => n > 0)];
      first = from < 0 ? EMPTY_FROM : Math.max(0, Math.min(from - 1, to - 14));
      const part = Array.from({ length: Math.max(16, to + 2 - first) }, (_, i) => buckets[first + i] ?? 0);
      spread.update([part.map((_, i) => i), part]);
      const answered = buckets.reduce((sum, n) => sum + n, 0);
      fill(
        note,
        answered === 0 ? 'No answers in the last minute.' : `${plural(answered, 'answer')}, by their latency.`,
      );
      fill(rest, ...panels(last));
    },
    stop: () => {
      stopPolling();
      [traffic, latency, spread].forEach((each) => each.stop());
    },
  };
}

function rangeButton({ seconds, name }, isChosen, choose) {
  const onclick = ({ currentTarget }) => choose(Number(currentTarget.value));
  return h('button', { type: 'button', value: String(seconds), 'aria-pressed': String(isChosen), onclick }, name);
}

/** Two figures for the label of a bar. */
function short(ms) {
  return duration(Number(ms.toPrecision(2)));
}

function tilesOf(last) {
  const { minute, now, inputs, engines } = last;
  const failed = minute.errors / Math.max(1, minute.inputs);
  const ready = engines.filter(({ why }) => why === '').length;
  const out = engines.length - ready;
  return [
    tile('Inputs/s', rate(now.inputsPerS), `${count(inputs.count)} ${since(last.sinceMs)}`),
    tile('Errors/s', rate(now.errorsPerS), `${percent(failed)} failed, last minute`, failed > 0.01 ? 'bad' : ''),
    tile('Latency p50', duration(minute.p50Ms), 'last minute'),
    tile('Latency p95', duration(minute.p95Ms), 'last minute'),
    tile('Latency p99', duration(minute.p99Ms), 'last minute'),
    tile('In flight', count(last.inFlight), words(last.strategy)),
    minute.lookups === 0
      ? tile('Cache hits', '–', 'no lookups, last minute')
      : tile('Cache hits', percent(minute.hits / minute.lookups), 'last minute'),
    tile(
      'Engines ready',
      `${ready} / ${engines.length}`,
      out === 0 ? 'all take requests' : `${out} out`,
      ready === 0 ? 'bad' : out > 0 ? 'warn' : '',
    ),
  ];
}

function panels(last) {
  const aside = since(last.sinceMs);
  return [
    panel(
      'Engines',
      { class: 'two-wide', aside: [`latency ${aside} · `, h('a', { href: '#/engines' }, 'details')] },
      engines(last),
    ),
    panel('Strategies', { aside }, strategies(last)),
    panel('Votes', { aside: [`${aside} · `, h('a', { href: '#/votes' }, 'disputes')] }, votes(last)),
    panel('Cache', { aside }, cache(last)),
    panel('Connections', { aside }, connections(last)),
    panel('Errors by reason', { class: 'full-wide', aside }, reasons(last)),
    panel(
      'By type',
      { class: 'full-wide', aside: `calls; inputs of a batch or stream as “.item”; ${aside}` },
      types(last),
    ),
  ];
}

function engines(last) {
  if (last.engines.length === 0)
    return empty('There are no engines yet. Add one:', 'npx tandem engines register --help');
  const shares = engineShares(last);
  return table(
    [
      { name: 'Engine', cell: ({ id }) => h('a', { href: '#/engines', class: 'name' }, id) },
      { name: 'State', cell: ({ state }) => badge(state) },
      { name: 'Breaker', cell: ({ breaker }) => badge(breaker.state) },
      { name: 'In flight', number: true, cell: ({ inFlight }) => count(inFlight) },
      { name: 'p50', number: true, cell: ({ latency }) => (latency.count ? duration(latency.p50Ms) : '–') },
      { name: 'p99', number: true, cell: ({ latency }) => (latency.count ? duration(latency.p99Ms) : '–') },
      { name: 'Share of the last minute', cell: ({ id }) => meter(shares.get(id)) },
    ],
    last.engines,
  );
}

function strategies({ strategies }) {
  const all = Object.values(strategies).reduce((sum, n) => sum + n, 0);
  if (all === 0) return empty('No request has been planned yet. Send one:', 'npx tandem reason --sample dog');
  const sorted = Object.entries(strategies).sort((a, b) => b[1] - a[1]);
  return h(
    'div',
    { class: 'shares' },
    ...sorted.map(([name, n]) => [h('span', {}, title(name)), meter(n / all, count(n))]),
  );
}

function votes({ votes }) {
  const counts = voteCounts(votes);
  if (counts.length === 0) return empty('No vote has been taken yet. Take one:', 'npx tandem vote --sample dog');
  const all = counts.reduce((sum, [, n]) => sum + n, 0);
  return h('div', { class: 'shares' }, ...counts.map(([name, n]) => [badge(name), meter(n / all, count(n))]));
}

const CACHE_TONES = { HIT: 'good', COALESCED: 'good', STALE: 'warn', MISS: '', BYPASSED: 'dim' };

function cache({ cache }) {
  const all = Object.keys(CACHE_TONES).reduce((sum, name) => sum + cache[name], 0);
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'shares' },
      ...Object.entries(CACHE_TONES).map(([name, tone]) => [
        h('span', {}, title(name)),
        meter(all === 0 ? 0 : cache[name] / all, count(cache[name]), tone),
      ]),
    ),
    h(
      'p',
      { class: 'note' },
      `${plural(cache.entries, 'answer')} cached, ${bytes(cache.bytes)}, ${count(cache.evictions)} evicted`,
    ),
  );
}

function connections({ connections: { open, total, sidecars, sidecarsConnected }, waiting, events }) {
  const published = Object.values(events.published).reduce((sum, n) => sum + n, 0);
  return facts(
    ['Clients', `${count(open)} connected, ${count(total)} in all`],
    ['Sidecars', `${count(sidecarsConnected)} of ${count(sidecars)} connected`],
    ['Waiting', `${count(waiting)} for a free engine`],
    ['Events', `${count(published)} published, to ${plural(events.subscribers, 'subscriber')}`],
    events.missed > 0 && ['Missed events', `${count(events.missed)}, by subscribers that read too slowly`],
  );
}

function types({ requestTypes }) {
  if (requestTypes.length === 0) return empty('Nobody has called yet. Say hello:', 'npx tandem ping');
  return table(
    [
      { name: 'Type', cell: ({ type }) => type },
      { name: 'Count', number: true, cell: (each) => count(each.count) },
      { name: 'Errors', number: true, cell: (each) => count(each.errors) },
      ...['avg', 'min', 'p50', 'p95', 'p99', 'max'].map((name) => ({
        ...{ name, number: true },
        cell: ({ latency }) => (latency.count ? duration(latency[`${name}Ms`]) : '–'),
      })),
    ],
    requestTypes,
  );
}

function reasons({ requestTypes }) {
  const rows = requestTypes.flatMap(({ type, errorsByReason }) =>
    Object.entries(errorsByReason).map(([reason, n]) => ({ type, reason, n })),
  );
  if (rows.length === 0) return empty('No request has failed.');
  return table(
    [
      { name: 'Reason', wide: true, cell: ({ reason }) => reason },
      { name: 'Type', cell: ({ type }) => type },
      { name: 'Count', number: true, cell: ({ n }) => count(n) },
    ],
    rows.sort((a, b) => b.n - a.n),
  );
}
