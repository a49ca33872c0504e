// Results of votes, and the disputes with the digest of each engine.
import { ask, poll } from '../api.js';
import { fill, h } from '../dom.js';
import { count, duration, preciseClock, since, title } from '../format.js';
import { rasters } from '../rasters.js';
import { live } from '../live.js';
import { badge, empty, failure, heading, panel, table, tile } from '../ui.js';
import { keep } from './answers.js';

const MEANINGS = {
  UNANIMOUS: 'all agree to the bit',
  MAJORITY: 'some contradict most',
  PLURALITY: 'accepted without a majority',
  DEGRADED: 'accepted from too few',
  DISPUTED: 'no majority, no answer',
  TOO_FEW: 'too few engines, no answer',
  AUDITED: 'checked in the background',
  AUDIT_DISPUTED: 'a check found a difference',
};

export function start(root) {
  const tiles = h('div', { class: 'tiles' });
  const period = h('p', { class: 'note' }, ' ');
  const disputes = h('div', { class: 'disputes' });
  root.append(
    heading('Votes & disputes', 'Every engine computes the same bits, so a ballot that differs is a wrong answer.'),
    period,
    tiles,
    panel('Recent disputes', { aside: 'newest first' }, disputes),
  );
  const stop = poll(
    '/api/disputes?limit=100',
    2_000,
    (body) => fill(disputes, ...(body.disputes.length === 0 ? [none()] : body.disputes.map(dispute))),
    (error) => fill(disputes, failure(error)),
  );
  return {
    update: ({ last: { votes, sinceMs } }) => {
      fill(period, `Verdicts ${since(sinceMs)}, when counting began.`);
      fill(
        tiles,
        ...Object.entries(MEANINGS).map(([name, meaning]) =>
          tile(title(name), count(votes[name]), meaning, votes[name] > 0 && name.includes('DISPUTED') ? 'bad' : ''),
        ),
      );
    },
    stop,
  };
}

function none() {
  return empty('No engine has contradicted another. To see a vote with its ballots:', 'npx tandem vote --sample dog');
}

function dispute(shown) {
  const { timeMs, traceId, model, version, strategy, verdict, wrong, ballots, differences } = shown;
  const digests = answersOf(ballots);
  const blamed = wrong.length > 0 ? `wrong: ${wrong.join(', ')}` : 'it is unknown which engine is wrong';
  return h(
    'details',
    { class: 'dispute', 'data-key': shown.id },
    h(
      'summary',
      {},
      h('time', {}, preciseClock(timeMs)),
      badge(verdict),
      h('span', { class: 'name' }, `${model}/${version}`),
      h('span', { class: 'dim-text' }, title(strategy)),
      h('span', {}, blamed),
    ),
    h(
      'p',
      { class: 'dispute-actions' },
      traceId && h('a', { href: `#/traces/${traceId}` }, 'Trace of the request'),
      replayButton(shown),
    ),
    table(
      [
        { name: 'Engine', cell: ({ engineId }) => h('span', { class: 'name' }, engineId) },
        { name: 'Ballot', cell: ({ outcome }) => badge(outcome) },
        { name: 'Answer', cell: (ballot) => letter(digests.indexOf(answerOf(ballot))) },
        { name: 'State digest', cell: ({ stateDigest, why }) => h('code', {}, stateDigest || why) },
        { name: 'Readout digest', cell: ({ readoutDigest }) => h('code', {}, readoutDigest || '–') },
        { name: 'Time', number: true, cell: ({ durationMs }) => duration(durationMs) },
        { name: 'Build', wide: true, cell: ({ build }) => build || '–' },
      ],
      ballots,
    ),
    ...differences.map(difference),
  );
}

function replayButton(dispute) {
  if (!live.last?.canTry) return undefined;
  const { id, canReplay } = dispute;
  if (!canReplay) return h('span', { class: 'dim-text' }, 'Its input is not kept, so it cannot be replayed.');
  return h('button', { type: 'button', 'data-dispute': id, onclick: replay }, 'Replay: ask all engines again');
}

/** The button element may have been reused for another dispute. */
async function replay({ currentTarget: button }) {
  const { dispute } = button.dataset;
  button.disabled = true;
  try {
    const { disputes } = await ask('/api/disputes?limit=500');
    const response = await ask(`/api/disputes/${dispute}/replay`, { method: 'POST' });
    keep({ response, labels: [], known: '', replayed: disputes.find(({ id }) => id === dispute) });
    location.hash = `#/request/${encodeURIComponent(response.requestId)}`;
  } catch (error) {
    button.after(failure(error));
    button.disabled = false;
  }
}

function difference(each) {
  return h('div', { class: 'difference' }, h('p', { class: 'why' }, each.text), each.raster && rasters(each));
}

/** The different answers, most frequent first: A. */
function answersOf(ballots) {
  const groups = Map.groupBy(ballots.filter(answerOf), answerOf);
  return [...groups].toSorted(([, a], [, b]) => b.length - a.length).map(([answer]) => answer);
}

/** The key by which two ballots are the same answer. */
function answerOf({ stateDigest, readoutDigest }) {
  return stateDigest && `${stateDigest} ${readoutDigest}`;
}

/** Equal letters mean equal answers. */
export function letter(index) {
  if (index < 0) return h('span', { class: 'dim-text' }, 'none');
  return h('span', { class: `letter letter-${index % 4}` }, String.fromCharCode(65 + (index % 26)));
}
