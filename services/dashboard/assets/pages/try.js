// Sends a request from the page: a known input, a text, numbers or a file.
import { ask } from '../api.js';
import { fill, h } from '../dom.js';
import { live } from '../live.js';
import { parseNumbers, readNumbers, toJson } from '../numbers.js';
import { empty, failure, heading, panel } from '../ui.js';
import { keep } from './answers.js';

const STRATEGIES = ['', 'ROUND_ROBIN', 'LOCAL_FIRST', 'SIDECAR_FIRST', 'FASTEST', 'REDUNDANT', 'HEDGED', 'AFFINITY'];

export function start(root, [chosen]) {
  const body = h('div', {});
  root.append(heading('Try a request', 'Any model, answered by the running engines.'), body);
  let isShown = false;
  const update = ({ last }) => {
    if (isShown) return;
    isShown = true;
    if (last.canTry) void showForm(body, chosen && decodeURIComponent(chosen));
    else
      fill(
        body,
        panel(
          'Switched off',
          {},
          empty(
            'Requests from the dashboard are off, because every visitor of this page could send them. To allow them, change the setting, or start with:',
            'TANDEM_DASHBOARD_TRY_REQUESTS=true npm start',
          ),
        ),
      );
  };
  if (live.last) update(live);
  return { update };
}

async function showForm(body, chosen) {
  let found;
  try {
    found = await ask('/api/models');
  } catch (error) {
    fill(body, failure(error));
    return;
  }
  const models = found.models.filter(({ error, isUnloaded }) => error === '' && !isUnloaded);
  if (models.length === 0) {
    fill(body, panel('Nothing to send to', {}, empty('No model is served yet.', 'npx tandem models add --help')));
    return;
  }
  const keyOf = ({ name, version }) => `${name}/${version}`;
  const first = Math.max(
    0,
    models.findIndex((each) => (chosen ? keyOf(each) === chosen : each.name === found.defaultModel && each.isLatest)),
  );
  const form = formOf(
    models.map((each, at) => [at, keyOf(each), at === first]),
    { models, samples: [] },
  );
  body.replaceChildren(form.element);
  await form.load();
}

/** The kinds of input of a model, in the order of the menu. */
function kindsOf({ golden, takesText }) {
  return [
    golden > 0 && ['sample', 'known input'],
    takesText && ['text', 'text'],
    ['numbers', 'numbers'],
    ['file', 'file'],
  ].filter(Boolean);
}

function formOf(choices, state) {
  const problem = h('div', { class: 'full-wide', 'aria-live': 'polite' });
  const hint = h('p', { class: 'note full-wide' });
  const send = h('button', { type: 'submit', class: 'primary' }, 'Send');
  const inputs = {
    sample: h('select', { name: 'sample' }),
    text: h('input', { name: 'text', type: 'text', placeholder: 'a small furry animal', autocomplete: 'off' }),
    numbers: h('textarea', { name: 'numbers', rows: '5', spellcheck: 'false', placeholder: '0.1, 0.2, 0.3' }),
    file: h('input', { name: 'file', type: 'file', accept: '.json,.txt,.csv,.npy,.f32' }),
  };
  const labels = { sample: 'Known input', text: 'Text', numbers: 'Numbers', file: 'File of numbers' };
  const fields = Object.entries(inputs).map(([kind, input]) => [
    kind,
    h('label', { class: 'field wide' }, labels[kind], input),
  ]);
  const form = h(
    'form',
    { class: 'panel try' },
    select('model', 'Model', choices),
    select('kind', 'Input', []),
    ...fields.map(([, field]) => field),
    hint,
    select(
      'strategy',
      'Strategy',
      STRATEGIES.map((name) => [name, name === '' ? 'the router’s' : name.toLowerCase().replaceAll('_', ' ')]),
    ),
    select('cache', 'Cache', [
      ['BYPASS', 'bypass: compute it'],
      ['USE', 'use it'],
      ['REFRESH', 'refresh it'],
    ]),
    select('detail', 'Detail', [
      ['RASTER', 'raster: which neuron fired when'],
      ['LAYERS', 'layers: how often'],
      ['SUMMARY', 'summary'],
    ]),
    h('div', { class: 'field' }, send),
    problem,
  );
  const model = () => state.models[Number(form.elements.model.value)];
  const showKind = () => {
    const { kind } = form.elements;
    for (const [name, field] of fields) field.hidden = name !== kind.value;
    hint.textContent = hintFor(kind.value, model());
    fill(problem);
  };
  const load = async () => {
    const { name, version } = model();
    const { kind } = form.elements;
    const kinds = kindsOf(model());
    const before = kind.value;
    fill(kind, ...kinds.map(([value, text]) => h('option', { value }, text)));
    kind.value = kinds.some(([value]) => value === before) ? before : kinds[0][0];
    showKind();
    try {
      const path = `/api/models/${encodeURIComponent(name)}/${version}/samples`;
      ({ samples: state.samples } = await ask(path));
      const names = state.samples.map((sample, at) => sample.name || `known input ${at + 1}`);
      fill(inputs.sample, ...names.map((each, at) => h('option', { value: at }, each)));
    } catch (error) {
      fill(problem, failure(error));
    }
  };
  const submit = async () => {
    send.disabled = true;
    fill(problem);
    try {
      const { input, known } = await inputOf(form.elements.kind.value, inputs, state);
      const { name, version, labels: classes } = model();
      const { strategy, cache, detail } = form.elements;
      const response = await ask('/api/reason', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          ...{ model: name, modelVersion: version, ...input },
          strategy: strategy.value ? `STRATEGY_${strategy.value}` : undefined,
          ...{ cache: `CACHE_MODE_${cache.value}`, detail: `DETAIL_${detail.value}` },
        }),
      });
      keep({ response, labels: classes, known });
      location.hash = `#/request/${encodeURIComponent(response.requestId)}`;
    } catch (error) {
      fill(problem, failure(error));
    } finally {
      send.disabled = false;
    }
  };
  form.elements.model.addEventListener('change', () => void load());
  form.elements.kind.addEventListener('change', showKind);
  form.addEventListener('submit', (event) => {
    event.preventDefault(); // the page sends it itself
    void submit();
  });
  return { element: form, load };
}

/** `known`: digest of the correct answer, or empty. Rejects with an Error for people. */
async function inputOf(kind, inputs, { samples }) {
  if (kind === 'sample') {
    const sample = samples[Number(inputs.sample.value)];
    if (sample === undefined) throw new Error('The known inputs are not loaded yet.');
    return { input: { tensor: { shape: sample.shape, dtype: 'FP32', data: sample.data } }, known: sample.stateDigest };
  }
  if (kind === 'text') {
    const text = inputs.text.value.trim();
    if (text === '') throw new Error('Type a text first.');
    return { input: { text }, known: '' };
  }
  if (kind === 'numbers') return { input: { tensor: toJson(parseNumbers(inputs.numbers.value)) }, known: '' };
  const [file] = inputs.file.files;
  if (file === undefined) throw new Error('Choose a file first.');
  return { input: { tensor: toJson(await readNumbers(file)) }, known: '' };
}

function hintFor(kind, { inputKind, inputShape }) {
  const one = inputShape.join(' × ') || 'as many as the network takes';
  const shape =
    inputKind === 'constant' ? `${one} numbers` : `steps × ${one} numbers, as a list of lists or one row per line`;
  if (kind === 'numbers')
    return `The model takes ${shape}. Separate them by spaces, commas or line breaks, or write JSON.`;
  if (kind === 'file') return `The model takes ${shape}. JSON, text, .csv, .npy, or little-endian floats (.f32).`;
  return kind === 'sample' ? 'Its correct answer is known: the page compares the two to the bit.' : '';
}

function select(name, label, options) {
  const shown = options.map(([value, text, selected = false]) => h('option', { value, selected }, text));
  return h('label', { class: 'field' }, label, h('select', { name }, ...shown));
}
