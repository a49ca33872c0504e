// Open sessions: their caller, their step, and the engine of their last message.
import { poll } from '../api.js';
import { fill, h } from '../dom.js';
import { bytes, count, duration } from '../format.js';
import { sessionRaster } from '../session-raster.js';
import { empty, facts, failure, heading, panel, table } from '../ui.js';

const REASONS = {
  CLOSED: 'closed',
  EXPIRED: 'expired',
  OPERATOR: 'ended by an operator',
  MODEL: 'model unloaded or replaced',
  DISTRUSTED: 'an answer was wrong',
  STATE_INVALID: 'state refused by engines',
};

export function start(root) {
  const list = h('div', { class: 'cards' });
  const watched = h('div', { class: 'cards' });
  root.append(
    heading('Sessions', 'Runs that span several messages. The router keeps their state in between.'),
    list,
    watched,
  );
  let raster;
  const watch = (session) => {
    raster?.stop();
    raster = sessionRaster(session);
    watched.replaceChildren(raster.element);
  };
  let sessions = [];
  list.addEventListener('click', ({ target }) => {
    const serial = target.closest('[data-serial]')?.dataset.serial;
    const session = sessions.find((each) => String(each.serial) === serial);
    if (session !== undefined) watch(session);
  });
  const stop = poll(
    '/api/sessions',
    2_000,
    (answer) => {
      ({ sessions } = answer);
      fill(list, totals(answer), sessionTable(answer));
      // A single session is selected by default.
      if (raster === undefined && sessions.length === 1) watch(sessions[0]);
    },
    (error) => fill(list, failure(error)),
  );
  const stopAll = () => {
    stop();
    raster?.stop();
  };
  return { stop: stopAll };
}

function totals({ open, bytes: held, waiting, opened, ended, moved, refused }) {
  const ends = Object.entries(ended).filter(([, times]) => times > 0);
  return h(
    'article',
    { class: 'panel' },
    facts(
      ['Open', `${count(open)}, ${bytes(held)}`],
      ['Messages waiting', count(waiting)],
      ['Opened since the router started', count(opened)],
      ['Ended', ends.map(([why, times]) => `${REASONS[why] ?? why}: ${count(times)}`).join(', ') || 'none'],
      ['Continued on another engine', count(moved)],
      ['Refused at a limit', count(refused)],
    ),
  );
}

function sessionTable({ sessions }) {
  if (sessions.length === 0) {
    const command = 'npx tandem reason --session robot-7 --sample dog';
    return panel('No session is open', {}, empty('Open one:', command));
  }
  return h(
    'article',
    { class: 'panel full-wide' },
    table(
      [
        { name: 'Session', cell: ({ id }) => h('span', { class: 'name' }, id) },
        {
          name: 'Spikes',
          cell: ({ serial, id }) =>
            h('button', { type: 'button', 'data-serial': serial, 'aria-label': `Show the spikes of ${id}` }, 'Show'),
        },
        { name: 'Caller', cell: ({ caller }) => caller || '–' },
        { name: 'Model', cell: ({ model }) => model },
        { name: 'Step', cell: ({ step }) => count(step) },
        { name: 'Messages', cell: ({ messages }) => count(messages) },
        { name: 'Memory', cell: (session) => bytes(session.bytes) },
        { name: 'Last engine', cell: ({ engine }) => engine || '–' },
        { name: 'Age', cell: ({ ageMs }) => duration(ageMs) },
        { name: 'Idle', cell: ({ idleMs }) => duration(idleMs) },
      ],
      sessions,
    ),
  );
}
