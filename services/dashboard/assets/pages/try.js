// Asks the router from the page, with an input whose answer is known.
import { ask } from '../api.js';
import { fill, h } from '../dom.js';
import { live } from '../live.js';
import { plural } from '../format.js';
import { empty, failure, heading, panel } from '../ui.js';
import { keep } from './answers.js';

const STRATEGIES = ['', 'ROUND_ROBIN', 'LOCAL_FIRST', 'SIDECAR_FIRST', 'FASTEST', 'REDUNDANT', 'HEDGED', 'AFFINITY'];

export function start(root) {
  const body = h('div', {});
  root.append(heading('Try a request', 'A known input of a model, or a text, answered by the running engines.'), body);
  let isShown = false;
  const update = ({ history }) => {
    if (isShown) return;
    isShown = true;
    if (history.last.canTry) void showForm(body);
    else
      fill(
        body,
        panel(
          'Switched off',
          {},
          empty(
            'Requests from the dashboard are off, because everybody who can open this page could send them. To allow them, set in the settings, or in the environment:',
            'TANDEM_DASHBOARD_TRY_REQUESTS=true npm start',
          ),
        ),
      );
  };
  if (live.history.last) update(live);
  return { update };
}

async function showForm(body) {
  let found;
  try {
    found = await ask('/api/models');
  } catch (error) {
    fill(body, failure(error));
    return;
  }
  const models = found.models.filter(({ golden, takesText, error }) => (golden > 0 || takesText) && error === '');
  if (models.length === 0) {
    fill(
      body,
      panel(
        'Nothing to send',
        {},
        empty('No model has known inputs. Name a file of them as “golden” in its model.yaml.'),
      ),
    );
    return;
  }
  const select = (name, label, options) =>
    h(
      'label',
      { class: 'field' },
      label,
      h('select', { name }, ...options.map(([value, text]) => h('option', { value }, text))),
    );
  const problem = h('div', { 'aria-live': 'polite' });
  const samples = h('select', { name: 'sample' });
  const text = h('input', { name: 'text', type: 'text', placeholder: 'a small furry animal', autocomplete: 'off' });
  const textField = h('label', { class: 'field wide', hidden: true }, 'Text', text);
  const samplesField = h('label', { class: 'field' }, 'Known input', samples);
  let loaded = [];
  const modelField = select(
    'model',
    'Model',
    models.map(({ name, version }, at) => [at, `${name}/${version}`]),
  );
  const send = h('button', { type: 'submit', class: 'primary' }, 'Send');
  const form = h(
    'form',
    { class: 'panel try' },
    modelField,
    textField,
    samplesField,
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
  const model = () => models[Number(form.elements.model.value)];
  const load = async () => {
    try {
      const { name, version, takesText } = model();
      textField.hidden = !takesText;
      ({ samples: loaded } = await ask(`/api/models/${encodeURIComponent(name)}/${version}/samples`));
      fill(samples, ...loaded.map((sample, at) => h('option', { value: at }, sample.name || `known input ${at + 1}`)));
    } catch (error) {
      fill(problem, failure(error));
    }
  };
  form.elements.model.addEventListener('change', () => void load());
  form.addEventListener('submit', (event) => {
    event.preventDefault(); // the page sends it itself
    void submit();
  });
  const submit = async () => {
    const { name, version, labels, takesText } = model();
    const words = takesText ? text.value.trim() : '';
    const sample = words === '' ? loaded[Number(samples.value)] : undefined;
    if (words === '' && sample === undefined) return;
    const input =
      sample === undefined ? { text: words } : { tensor: { shape: sample.shape, dtype: 'FP32', data: sample.data } };
    const { strategy, cache, detail } = form.elements;
    send.disabled = true;
    fill(problem);
    try {
      const response = await ask('/api/reason', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          ...{ model: name, modelVersion: version, ...input },
          strategy: strategy.value ? `STRATEGY_${strategy.value}` : undefined,
          ...{ cache: `CACHE_MODE_${cache.value}`, detail: `DETAIL_${detail.value}` },
        }),
      });
      keep({ response, labels, known: sample?.stateDigest ?? '' });
      location.hash = `#/request/${encodeURIComponent(response.requestId)}`;
    } catch (error) {
      fill(problem, failure(error));
    } finally {
      send.disabled = false;
    }
  };
  body.replaceChildren(form);
  await load();
  if (loaded.length > 0) form.setAttribute('aria-label', `Try one of ${plural(loaded.length, 'known input')}`);
}
