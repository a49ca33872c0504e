// Each engine: its state with the reason, its breaker's history, its models and its figures.
import { fill, h } from '../dom.js';
import { clock, count, duration, plural, since } from '../format.js';
import { badge, empty, facts, heading, meter, tile } from '../ui.js';
import { engineShares } from './shares.js';

export function start(root) {
  const list = h('div', { class: 'cards' });
  root.append(heading('Engines', 'Each engine with its state, circuit breaker, build, load and latency.'), list);
  return {
    update: ({ last }) => {
      const shares = engineShares(last);
      const { engines, sinceMs } = last;
      fill(
        list,
        ...(engines.length === 0
          ? [
              empty(
                'There are no engines. Start some with the router, or add one:',
                'npx tandem engines register --help',
              ),
            ]
          : engines.map((engine) => card(engine, shares.get(engine.id), sinceMs))),
      );
    },
  };
}

function card(engine, share, sinceMs) {
  const { latency } = engine;
  const ms = (value) => (latency.count === 0 ? '–' : duration(value));
  return h(
    'article',
    { class: 'panel' },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', { class: 'name' }, engine.id),
      h(
        'span',
        { class: 'badges' },
        engine.modelProblems.length > 0 && badge('MISMATCH', 'Other models'),
        badge(engine.state),
        badge(engine.breaker.state, `Breaker ${words(engine)}`),
      ),
    ),
    engine.why && h('p', { class: 'why' }, engine.why),
    h(
      'div',
      { class: 'tiles small' },
      tile('In flight', `${count(engine.inFlight)}`, `of ${count(Math.floor(engine.limit))} at once`),
      tile('p50', ms(latency.p50Ms), `p95 ${ms(latency.p95Ms)}`),
      tile('p99', ms(latency.p99Ms), `max ${ms(latency.maxMs)}`),
      tile('Answers', count(engine.succeeded), `${count(engine.failed)} failed, ${count(engine.others)} others`, ''),
      tile('Dissents', count(engine.dissents), 'in votes', engine.dissents > 0 ? 'bad' : ''),
    ),
    h('p', { class: 'note' }, `Counts and latencies ${since(sinceMs)}.`),
    facts(
      ['Share, last minute', meter(share)],
      ['Kind', engine.kind === 'local' ? 'inside the router (TypeScript)' : 'sidecar'],
      ['Address', engine.address],
      ['Build', engine.build || 'not described yet'],
      ['Models', served(engine).join(', ') || 'none'],
    ),
    ...engine.modelProblems.map(({ model, why }) => h('p', { class: 'why' }, `${model} is not served: ${why}`)),
    history(engine.breaker.events),
    h('p', { class: 'note' }, h('a', { href: `#/events/${encodeURIComponent(engine.id)}` }, 'Its events')),
  );
}

function served({ models, modelProblems }) {
  return models
    .filter(({ error }) => error === '')
    .map(({ name, version }) => `${name}/${version}`)
    .filter((model) => !modelProblems.some((problem) => problem.model === model));
}

function words({ breaker }) {
  return breaker.state.toLowerCase().replace('_', ' ');
}

function history(events) {
  if (events.length === 0) return h('p', { class: 'note' }, 'Its breaker has never opened.');
  return h(
    'details',
    { class: 'history', open: true },
    h('summary', {}, `Breaker history: ${plural(events.length, 'change')}`),
    h(
      'ol',
      { class: 'timeline' },
      ...events
        .toReversed()
        .slice(0, 12)
        .map(({ timeMs, state, why }) => h('li', {}, h('time', {}, clock(timeMs)), badge(state), h('span', {}, why))),
    ),
  );
}
