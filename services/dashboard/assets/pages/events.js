// What happened lately: engines, breakers, quarantine, disputes, models, alerts, and what users published.
import { poll } from '../api.js';
import { fill, h } from '../dom.js';
import { preciseClock } from '../format.js';
import { empty, failure, heading, panel } from '../ui.js';

let topic = '';

export function start(root) {
  const list = h('div', {});
  const topics = h('select', {
    onchange: (event) => {
      topic = event.target.value;
      show();
    },
  });
  let events;
  const show = () => {
    if (events === undefined) return;
    const names = [...new Set(events.map((event) => event.topic))].sort();
    if (topic !== '' && !names.includes(topic)) names.push(topic);
    fill(
      topics,
      h('option', { value: '', selected: topic === '' }, 'All topics'),
      ...names.map((name) => h('option', { value: name, selected: name === topic }, name)),
    );
    topics.value = topic;
    const shown = events.filter((event) => topic === '' || event.topic === topic);
    fill(list, events.length === 0 ? none() : shown.length === 0 ? empty('Nothing on this topic yet.') : rows(shown));
  };
  root.append(
    heading('Events', 'What happened, newest first. The same as EventService sends to subscribers.'),
    h('form', { class: 'filters', onsubmit: (event) => event.preventDefault() }, h('label', {}, 'Topic', topics)),
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

function none() {
  return empty('Nothing has happened yet: no engine came or went, no breaker opened, no vote was disputed.');
}

const TONES = { INFO: 'info', WARNING: 'warn', ERROR: 'bad' };

/** "engine down: engine-1, it closed the stream (17 times)". */
function describe(text, data, count) {
  const facts = Object.values(data).filter((fact) => fact !== '');
  return `${text}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}${count > 1 ? ` (${count} times)` : ''}`;
}

function rows(events) {
  return h(
    'ol',
    { class: 'timeline events' },
    ...events.map(({ timeMs, topic, severity, text, data, count, traceId }) =>
      h(
        'li',
        {},
        h('time', {}, preciseClock(timeMs)),
        h('span', { class: `badge ${TONES[severity] ?? 'dim'}`, title: severity.toLowerCase() }, topic),
        h('span', {}, describe(text, data, count), traceId && [' ', h('a', { href: `#/traces/${traceId}` }, 'trace')]),
      ),
    ),
  );
}
