// How things stand, on one screen: is it well, how much, how fast, and who does the work.
import { barChart, timeChart } from '../charts.js';
import { fill, h } from '../dom.js';
import { bytes, count, duration, figures, percent, plural, rate, title, words } from '../format.js';
import { bucketMs, percentile } from '../stats.js';
import { badge, empty, facts, heading, meter, panel, table, tile } from '../ui.js';
import { engineShares, voteCounts } from './shares.js';

/** The bucket that begins at 65 µs: where the picture begins without an answer. */
const EMPTY_FROM = 64;

const requests = ({ reasoning }) => reasoning.count;
const errors = ({ reasoning }) => reasoning.errors;

export function start(root) {
  const traffic = timeChart(
    'Requests and errors per second',
    [
      { name: 'requests/s', stroke: 'accent', isFilled: true },
      { name: 'errors/s', stroke: 'bad' },
    ],
    figures,
  );
  const latency = timeChart(
    'Latency over time',
    [
      { name: 'p50', stroke: 'good' },
      { name: 'p95', stroke: 'warn' },
      { name: 'p99', stroke: 'bad' },
    ],
    duration,
  );
  let first = 0;
  const spread = barChart('Distribution of latency', 180, { name: (i) => short(bucketMs(first + i)), format: count });
  const tiles = h('div', { class: 'tiles' }, ...Array.from({ length: 8 }, () => tile(' ', ' ', ' ')));
  const rest = h('div', { class: 'grid' });
  const note = h('p', { class: 'chart-note' }, ' ');
  root.append(
    heading('Overview', 'Inputs reasoned about, now and over the last minute.'),
    tiles,
    h(
      'div',
      { class: 'grid three' },
      panel('Requests', { aside: 'last 2 min' }, traffic.element),
      panel('Latency', { aside: 'last 2 min' }, latency.element),
      panel('Distribution', { aside: 'last minute' }, spread.element, note),
    ),
    rest,
  );
  return {
    update: ({ history }) => {
      const { last } = history;
      fill(tiles, ...tilesOf(history));
      traffic.update(seriesOf(history, (at) => [history.rate(requests, 2, at), history.rate(errors, 2, at)]));
      latency.update(
        seriesOf(history, (at) => {
          const buckets = history.buckets(5, at);
          return [50, 95, 99].map((p) => percentile(buckets, p));
        }),
      );
      const buckets = history.buckets();
      const [from, to] = [buckets.findIndex((n) => n > 0), buckets.findLastIndex((n) => n > 0)];
      first = from < 0 ? EMPTY_FROM : Math.max(0, Math.min(from - 1, to - 14));
      const part = Array.from({ length: Math.max(16, to + 2 - first) }, (_, i) => buckets[first + i] ?? 0);
      spread.update([part.map((_, i) => i), part]);
      const answered = buckets.reduce((sum, n) => sum + n, 0);
      fill(
        note,
        answered === 0 ? 'No answers in the last minute.' : `${plural(answered, 'answer')}, by their latency.`,
      );
      fill(rest, ...panels(history, last));
    },
    stop: () => [traffic, latency, spread].forEach((each) => each.stop()),
  };
}

/** Two figures, to stand under a bar. */
function short(ms) {
  return duration(Number(ms.toPrecision(2)));
}

function seriesOf(history, read) {
  const { snapshots, last } = history;
  const rows = snapshots.map((_, at) => read(at));
  const x = snapshots.map(({ upMs }) => (upMs - last.upMs) / 1_000);
  return [x, ...(rows[0] ?? []).map((_, series) => rows.map((row) => row[series] ?? null))];
}

function tilesOf(history) {
  const { last } = history;
  const buckets = history.buckets();
  const failing = history.rate(errors);
  const share = history.added(errors) / Math.max(1, history.added(requests));
  const ready = last.engines.filter(({ why }) => why === '').length;
  const lookups = history.added(({ cache }) => cache.HIT + cache.COALESCED + cache.STALE + cache.MISS);
  const spared = history.added(({ cache }) => cache.HIT + cache.COALESCED + cache.STALE);
  return [
    tile('Requests/s', rate(history.rate(requests)), `${count(last.reasoning.count)} in all`),
    tile('Errors/s', rate(failing), `${percent(share)} failed`, share > 0.01 ? 'bad' : ''),
    tile('Latency p50', duration(percentile(buckets, 50)), 'last minute'),
    tile('Latency p95', duration(percentile(buckets, 95)), 'last minute'),
    tile('Latency p99', duration(percentile(buckets, 99)), 'last minute'),
    tile('In flight', count(last.inFlight), words(last.strategy)),
    tile('Cache hits', lookups === 0 ? '–' : percent(spared / lookups), lookups === 0 ? 'no lookups' : 'last minute'),
    tile(
      'Engines ready',
      `${ready} / ${last.engines.length}`,
      ready === last.engines.length ? 'all take requests' : `${last.engines.length - ready} out`,
      ready === 0 ? 'bad' : ready < last.engines.length ? 'warn' : '',
    ),
  ];
}

function panels(history, last) {
  return [
    panel(
      'Engines',
      { class: 'two-wide', aside: h('a', { href: '#/engines' }, 'all about them') },
      engines(history, last),
    ),
    panel('Strategies', { aside: 'since the start' }, strategies(last)),
    panel('Votes', { aside: h('a', { href: '#/votes' }, 'disputes') }, votes(last)),
    panel('Cache', { aside: 'since the start' }, cache(last)),
    panel('Connections', { aside: 'since the start' }, connections(last)),
    panel('Errors by reason', { class: 'full-wide', aside: 'since the start' }, reasons(last)),
    panel('By type', { class: 'full-wide', aside: 'since the start' }, types(last)),
  ];
}

function engines(history, last) {
  if (last.engines.length === 0)
    return empty('There are no engines yet. Add one:', 'npx tandem engines register --help');
  const shares = engineShares(history);
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
      `${plural(cache.entries, 'answer')} kept, ${bytes(cache.bytes)}, ${count(cache.evictions)} evicted`,
    ),
  );
}

function connections({ connections: { open, total, sidecars, sidecarsConnected }, waiting, events }) {
  const published = Object.values(events.published).reduce((sum, n) => sum + n, 0);
  return facts(
    ['Clients', `${count(open)} connected, ${count(total)} in all`],
    ['Sidecars', `${count(sidecarsConnected)} of ${count(sidecars)} connected`],
    ['Waiting', `${count(waiting)} for an engine with room`],
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
