// Recent events: engines, breakers, quarantine, disputes, models, alerts, and events of users.
import { poll } from '../api.js';
import { fill, h } from '../dom.js';
import { preciseClock } from '../format.js';
import { empty, failure, heading, panel } from '../ui.js';

/** The list's filter, kept while the page is open. */
const wanted = { topic: '', engine: '' };

export function start(root, [engineId]) {
  if (engineId !== undefined) wanted.engine = decodeURIComponent(engineId);
  const list = h('div', {});
  let events;
  const chooser = (key) =>
    h('select', {
      name: key,
      onchange: ({ target }) => {
        wanted[key] = target.value;
        show();
      },
    });
  const topics = chooser('topic');
  const engines = chooser('engine');
  const show = () => {
    if (events === undefined) return;
    offer(
      topics,
      wanted.topic,
      'All topics',
      events.map(({ topic }) => topic),
    );
    offer(engines, wanted.engine, 'All engines', events.flatMap(enginesOf));
    const shown = events.filter(
      (event) =>
        (wanted.topic === '' || event.topic === wanted.topic) &&
        (wanted.engine === '' || enginesOf(event).includes(wanted.engine)),
    );
    fill(list, events.length === 0 ? none() : shown.length === 0 ? empty('No event fits.') : rows(shown));
  };
  root.append(
    heading('Events', 'Recent events, newest first: the same that EventService sends to subscribers.'),
    h(
      'form',
      { class: 'filters', onsubmit: (event) => event.preventDefault() },
      h('label', {}, 'Topic', topics),
      h('label', {}, 'Engine', engines),
    ),
    panel('Recent', { aside: 'newest first' }, list),
  );
  const stop = poll(
    '/api/events?limit=300',
    2_000,
    (body) => {
      ({ events } = body);
      show();
    },
    (error) => fill(list, failure(error)),
  );
  return { stop };
}

function offer(select, chosen, all, found) {
  const names = [...new Set([...found, chosen])].filter((name) => name !== '').sort();
  const option = (value, text) => h('option', { value, selected: value === chosen }, text);
  fill(select, option('', all), ...names.map((name) => option(name, name)));
  select.value = chosen;
}

/** The engines of an event: `wrong` of a dispute lists several. */
function enginesOf({ data }) {
  return [data.engine, ...(data.wrong ?? '').split(' ')].filter(Boolean);
}

function none() {
  return empty('There are no events yet: no engine was added or lost, no breaker opened, no vote was disputed.');
}

const TONES = { INFO: 'info', WARNING: 'warn', ERROR: 'bad' };

/** The engine or model of the event, what happened to it, and its other fields. */
function describe({ text, data, count }) {
  const { engine = '', model = '', name = '', why = '', ...rest } = data;
  const subject = [engine, model, name].filter((each) => each !== '');
  const facts = Object.entries(rest).filter(([, fact]) => fact !== '');
  return [
    subject.map((each, at) => [
      at > 0 && ' · ',
      each === engine ? h('a', { class: 'name', href: '#/engines' }, h('strong', {}, each)) : h('strong', {}, each),
    ]),
    subject.length > 0 && ': ',
    text,
    why !== '' && `: ${withoutState(why, text)}`,
    facts.length > 0 &&
      h(
        'span',
        { class: 'dim-text' },
        ` (${facts.map(([key, fact]) => `${key.replaceAll('_', ' ')} ${fact}`).join('; ')})`,
      ),
    count > 1 && h('span', { class: 'dim-text' }, ` ${count} times`),
  ];
}

/** Leaves out a prefix that repeats the event: "engine down" before "down: connection refused". */
function withoutState(why, text) {
  const [state, ...rest] = why.split(': ');
  return rest.length > 0 && text.endsWith(state) ? rest.join(': ') : why;
}

function rows(events) {
  return h(
    'ol',
    { class: 'timeline events' },
    ...events.map((event) => {
      const { timeMs, topic, severity, traceId } = event;
      return h(
        'li',
        {},
        h('time', {}, preciseClock(timeMs)),
        h('span', { class: `badge ${TONES[severity] ?? 'dim'}`, title: severity.toLowerCase() }, topic),
        h('span', {}, ...describe(event), traceId && [' ', h('a', { href: `#/traces/${traceId}` }, 'trace')]),
      );
    }),
  );
}
