// One request: its answer, the ballots, the time of each part, and the spikes.
import { barChart, rasterChart } from '../charts.js';
import { h } from '../dom.js';
import { count, duration, percent, plural, preciseClock, title } from '../format.js';
import { ask } from '../api.js';
import { badge, empty, facts, failure, heading, meter, panel, table } from '../ui.js';
import { answers, hex64, keep, layersOf, valueOf } from './answers.js';
import { letter } from './votes.js';

export function start(root, [id]) {
  const shown =
    id === undefined ? answers[0] : answers.find(({ response }) => response.requestId === decodeURIComponent(id));
  let charts = [];
  const body = h('div', {});
  const problem = h('div', {});
  const opener = h('input', {
    type: 'file',
    accept: '.json,application/json',
    class: 'visually-hidden',
    id: 'open-answer',
    onchange: ({ target }) => void openFile(target.files[0], problem),
  });
  root.append(
    heading(
      'Request',
      shown ? `Request ${shown.response.requestId}` : 'One answer in full, with its spikes.',
      h(
        'span',
        { class: 'actions' },
        opener,
        h('label', { class: 'button', for: 'open-answer' }, 'Open a saved answer'),
      ),
    ),
    problem,
    body,
  );
  const show = () => {
    charts.forEach((each) => each.stop());
    charts = [];
    body.replaceChildren(...(shown ? [others(shown), ...sections(shown, charts)] : [none(id)]));
  };
  show();
  if (shown?.labels.length === 0) void findLabels(shown).then((isFound) => isFound && body.isConnected && show());
  return { stop: () => charts.forEach((each) => each.stop()) };
}

/** Labels of the model that answered, if the router still has it. */
async function findLabels(shown) {
  const { model: name, modelVersion } = shown.response;
  try {
    const { models } = await ask('/api/models');
    shown.labels = models.find((each) => each.name === name && each.version === modelVersion)?.labels ?? [];
  } catch {
    // Without labels, the outputs have numbers.
  }
  return shown.labels.length > 0;
}

function none(id) {
  const text = id ? 'This page no longer has that answer.' : 'No answer to show yet.';
  return panel(
    'How to see one',
    {},
    empty(
      `${text} Send a request from “Try a request”, or save one from the command line and open the file above:`,
      'npx tandem reason --sample dog --detail raster --json > answer.json',
    ),
  );
}

async function openFile(file, problem) {
  try {
    const response = JSON.parse(await file.text());
    if (typeof response?.model !== 'string') throw new Error('no model');
    const requestId = String(response.requestId || file.name);
    keep({ response: { ...response, requestId }, labels: [], known: '' });
    location.hash = `#/request/${encodeURIComponent(requestId)}`;
    // Setting the same address again causes no event.
    dispatchEvent(new Event('hashchange'));
  } catch {
    problem.replaceChildren(
      failure(
        new Error(
          `“${file.name}” is not a ReasonResponse in JSON. Save one with: npx tandem reason --sample dog --json`,
        ),
      ),
    );
  }
}

/** Links to the other answers that this page has. */
function others(shown) {
  if (answers.length < 2) return h('span', { hidden: true });
  return h(
    'nav',
    { class: 'chips', 'aria-label': 'Answers seen here' },
    ...answers.map(({ response }) =>
      h(
        'a',
        {
          href: `#/request/${encodeURIComponent(response.requestId)}`,
          'aria-current': response === shown.response ? 'true' : undefined,
        },
        response.label || response.model,
      ),
    ),
  );
}

function sections(shown, charts) {
  return [
    h('div', { class: 'grid' }, answer(shown), timing(shown), scores(shown), ballots(shown), comparison(shown)),
    activity(shown, charts),
  ];
}

function answer({ response, known }) {
  const grade = valueOf(response.grade, 'GRADE');
  const cache = valueOf(response.cache, 'CACHE_STATUS');
  const digest = hex64(response.stateDigest);
  return panel(
    'Answer',
    { class: 'answer' },
    h('p', { class: 'conclusion' }, response.label || `output ${response.labelIndex ?? 0}`),
    meter(response.confidence ?? 0, `${percent(response.confidence ?? 0)} sure`, 'good'),
    facts(
      ['Checked', badge(grade)],
      ['Cache', title(cache)],
      ['Strategy', title(valueOf(response.strategy, 'STRATEGY'))],
      ['Engine', `${response.engine?.engineId ?? '–'} (${response.engine?.build ?? '–'})`],
      ['Model', `${response.model}/${response.modelVersion ?? 0}`],
      ['Steps', count(response.steps ?? 0)],
      [
        'Spikes',
        `${count(Number(response.totalSpikes ?? 0))}, ${count(Number(response.synapticOperations ?? 0))} synaptic operations`,
      ],
      ['State digest', h('code', {}, digest)],
      known && [
        'Known answer',
        known === digest ? badge('AGREED', 'Equal to the bit') : badge('DISSENTED', `Differs from ${known}`),
      ],
      response.traceId && ['Trace', h('a', { href: `#/traces/${response.traceId}` }, response.traceId)],
    ),
  );
}

function timing({ response }) {
  const { queueUs = 0, computeUs = 0, engineUs = 0, totalUs = 0 } = response.timing ?? {};
  const parts = [
    ['Router', Math.max(0, totalUs - engineUs), 'accent'],
    ['Way to the engine and back', Math.max(0, engineUs - queueUs - computeUs), 'info'],
    ['Waiting in the engine', queueUs, 'warn'],
    ['Simulating', computeUs, 'good'],
  ];
  const attempts = response.attempts ?? [];
  return panel(
    'Time',
    { aside: duration(totalUs / 1_000) },
    h(
      'div',
      { class: 'shares' },
      ...parts.map(([name, us, tone]) => [
        h('span', {}, name),
        meter(us / Math.max(1, totalUs), duration(us / 1_000), tone),
      ]),
    ),
    attempts.length === 0
      ? h('p', { class: 'note' }, 'No engine was asked: the answer was cached.')
      : table(
          [
            { name: 'Asked', cell: ({ engineId }) => h('span', { class: 'name' }, engineId) },
            {
              name: 'Outcome',
              cell: ({ outcome }) => (outcome === 'OK' ? badge('OK', 'OK') : badge('ERROR', outcome)),
            },
            { name: 'Time', number: true, cell: ({ durationUs = 0 }) => duration(durationUs / 1_000) },
          ],
          attempts,
        ),
  );
}

function scores({ response, labels }) {
  const best = (response.scores ?? [])
    .map((score, at) => ({ score, name: labels[at] ?? `output ${at}`, spikes: response.spikeCounts?.[at] ?? 0 }))
    .sort((a, b) => b.score - a.score)
    .slice(0, 8);
  return panel(
    'Scores',
    { aside: `best ${best.length} of ${(response.scores ?? []).length}` },
    h(
      'div',
      { class: 'shares' },
      ...best.map(({ name, score, spikes }) => [
        h('span', { class: 'name' }, name),
        meter(score, `${percent(score)} · ${plural(spikes, 'spike')}`),
      ]),
    ),
  );
}

function ballots({ response }) {
  const cast = response.vote?.ballots ?? [];
  if (cast.length === 0) {
    return panel(
      'Ballots',
      {},
      empty('Only one engine was asked, so there was no vote. Strategy Redundant asks several.'),
    );
  }
  const digestOf = ({ stateDigest }) => hex64(stateDigest);
  const outcomeOf = ({ outcome }) => valueOf(outcome, 'BALLOT_OUTCOME');
  const voted = cast.filter((ballot) => outcomeOf(ballot) !== 'ABSENT');
  const groups = Map.groupBy(voted, digestOf);
  // The most frequent answer is A.
  const digests = [...groups].toSorted(([, a], [, b]) => b.length - a.length).map(([digest]) => digest);
  return panel(
    'Ballots',
    { class: 'full-wide', aside: plural(cast.length, 'engine') },
    table(
      [
        { name: 'Engine', cell: ({ engineId }) => h('span', { class: 'name' }, engineId) },
        { name: 'Ballot', cell: (ballot) => badge(outcomeOf(ballot)) },
        { name: 'Answer', cell: (ballot) => letter(voted.includes(ballot) ? digests.indexOf(digestOf(ballot)) : -1) },
        {
          name: 'State digest',
          cell: (ballot) => h('code', {}, voted.includes(ballot) ? digestOf(ballot) : ballot.why),
        },
        { name: 'Time', number: true, cell: ({ durationUs = 0 }) => duration(durationUs / 1_000) },
      ],
      cast,
    ),
  );
}

/** The engines' answers in the dispute and now. */
function comparison({ response, replayed }) {
  if (replayed === undefined) return h('div', { hidden: true });
  const now = new Map((response.vote?.ballots ?? []).map((ballot) => [ballot.engineId, ballot]));
  const digestNow = ({ engineId }) => {
    const ballot = now.get(engineId);
    return ballot?.stateDigest ? hex64(ballot.stateDigest) : '';
  };
  return panel(
    'Replay of a dispute',
    { class: 'full-wide', aside: `the dispute was at ${preciseClock(replayed.timeMs)}` },
    table(
      [
        { name: 'Engine', cell: ({ engineId }) => h('span', { class: 'name' }, engineId) },
        { name: 'Ballot then', cell: ({ outcome }) => badge(outcome) },
        { name: 'State digest then', cell: ({ stateDigest, why }) => h('code', {}, stateDigest || why) },
        {
          name: 'State digest now',
          cell: (ballot) => h('code', {}, digestNow(ballot) || now.get(ballot.engineId)?.why || 'did not vote'),
        },
        {
          name: 'Now',
          cell: (ballot) => {
            const digest = digestNow(ballot);
            if (digest === '') return '–';
            return digest === hex64(response.stateDigest) ? badge('AGREED', 'right') : badge('DISSENTED', 'wrong');
          },
        },
      ],
      replayed.ballots,
    ),
  );
}

const MAX_POINTS = 20_000;
/** Maximum number of classes that are listed by name, and the height of each. */
const MAX_NAMED = 64;
const NAME_PX = 13;
const NAMES_PX = 140;

function activity({ response, labels }, charts) {
  const layers = layersOf(response);
  if (layers.length === 0) {
    return panel(
      'Spikes',
      {},
      empty(
        'No detail recorded. Send the request with detail “raster” to see which neuron fired when, or “layers” for how often each layer fired.',
      ),
    );
  }
  return panel(
    'Spikes',
    { aside: 'above: which neuron fired at which step; below: how many fired' },
    h(
      'div',
      { class: 'layers' },
      ...layers.map((layer, at) => layerPictures(layer, namesOf(layers, at, labels), charts)),
    ),
  );
}

/** The last layer is the readout if it has one neuron for each class. */
function namesOf(layers, at, labels) {
  const isReadout = at === layers.length - 1 && layers[at].neurons === labels.length;
  return isReadout && labels.length <= MAX_NAMED ? labels : undefined;
}

function layerPictures({ name, neurons, spikesPerStep, events, leftOut }, names, charts) {
  const steps = spikesPerStep.length;
  const spikes = spikesPerStep.reduce((sum, n) => sum + n, 0);
  const size = names ? NAMES_PX : undefined;
  const perStep = barChart(`Spikes of ${name} at each step`, 126, {
    ...{ name: String, format: count, titles: { x: 'step', y: 'spikes' }, size, stroke: 'good' },
  });
  perStep.update([spikesPerStep.map((_, step) => step), spikesPerStep]);
  charts.push(perStep);
  let raster = h('p', { class: 'note' }, 'No raster recorded for this layer.');
  let missing = leftOut;
  if (events !== undefined) {
    const drawn = events.slice(0, MAX_POINTS).toSorted((a, b) => a[0] - b[0]);
    missing += events.length - drawn.length;
    const height = names ? Math.max(220, neurons * NAME_PX + 50) : 220;
    const axes = names ? `, classes ${names[0]} to ${names.at(-1)}` : '';
    const picture = rasterChart(`Spike raster of ${name}: neuron by step${axes}`, height, {
      steps,
      neurons,
      names,
      size,
    });
    picture.update([drawn.map(([step]) => step), drawn.map(([, neuron]) => neuron)]);
    charts.push(picture);
    raster = picture.element;
  }
  const share = steps * neurons === 0 ? 0 : spikes / (steps * neurons);
  return h(
    'figure',
    { class: 'layer' },
    h(
      'figcaption',
      {},
      h('strong', { class: 'name' }, name),
      ` ${plural(neurons, 'neuron')}, ${plural(spikes, 'spike')}, ${percent(share)} active`,
    ),
    raster,
    missing > 0 && h('p', { class: 'note' }, `${plural(missing, 'later spike')} not drawn.`),
    perStep.element,
  );
}
