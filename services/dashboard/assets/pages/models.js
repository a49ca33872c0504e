// The model repository: versions, their inputs and outputs, and whether engines hold the same.
import { poll } from '../api.js';
import { fill, h } from '../dom.js';
import { count, duration, joules, plural, since } from '../format.js';
import { badge, empty, facts, failure, heading, table } from '../ui.js';

export function start(root) {
  const list = h('div', { class: 'cards' });
  root.append(heading('Models', 'Versions, shapes, labels, checksums, and which engines hold them.'), list);
  const stop = poll(
    '/api/models',
    5_000,
    ({ models, defaultModel, sinceMs }) =>
      fill(list, ...(models.length === 0 ? [none()] : models.map((model) => card(model, defaultModel, sinceMs)))),
    (error) => fill(list, failure(error)),
  );
  return { stop };
}

function none() {
  return empty(
    'The model repository is empty. Put a model there, as <model>/model.yaml and <model>/1/model.nir (setting models_dir).',
  );
}

function card(model, defaultModel, sinceMs) {
  const wrong = model.holders.filter(({ problem }) => problem !== '');
  const isHeld = model.holders.length > wrong.length;
  const isConstant = model.inputKind === 'constant';
  return h(
    'article',
    { class: 'panel' },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', { class: 'name' }, `${model.name}/${model.version}`),
      h(
        'span',
        { class: 'badges' },
        model.name === defaultModel && badge('INFO', 'Default'),
        model.isLatest && badge('INFO', 'Latest'),
        model.isUnloaded
          ? badge('DRAINING', 'Unloaded')
          : model.error
            ? badge('DOWN', 'Cannot be used')
            : badge(isHeld ? 'READY' : 'DRAINING', isHeld ? 'Served' : 'No engine holds it'),
        !model.error && wrong.length > 0 && badge('MISMATCH', `${plural(wrong.length, 'engine')} with another model`),
      ),
    ),
    model.error && h('p', { class: 'why' }, model.error),
    facts(
      [
        'Input',
        `${isConstant ? '' : 'steps × '}${model.inputShape.join(' × ') || 'as the network says'} float32, ${model.inputKind}`,
      ],
      [
        'Output',
        model.outputSize === 0
          ? 'not known yet'
          : `${plural(model.outputSize, 'element')}, from ${model.readout.replaceAll('_', ' ')}`,
      ],
      [
        'Run',
        isConstant
          ? `${plural(model.steps, 'step')} of ${duration(model.dt * 1_000)}`
          : `as many steps as the input, of ${duration(model.dt * 1_000)}`,
      ],
      [
        'Size',
        model.parameters === 0
          ? 'not known yet'
          : `${plural(model.parameters, 'parameter')} in ${plural(model.nodes, 'node')}`,
      ],
      ['Checksum', model.checksum ? h('code', {}, model.checksum) : 'not known yet'],
      ['Temperature', String(model.temperature)],
      ['Answered', `${plural(model.requests, 'input')}, also from the cache`],
      ['Computed', `${plural(model.inferences, 'time')}, in ${duration(model.computeS * 1_000)}`],
      ['Energy, estimated', `${joules(model.energyJ)} for ${count(model.synapticOperations)} synaptic operations`],
      ['Counted', since(sinceMs)],
      ['Known answers', model.golden === 0 ? 'none; npx tandem models golden makes some' : count(model.golden)],
      ['Defaults used', model.defaults.join(', ') || 'none'],
    ),
    !model.error &&
      !model.isUnloaded &&
      h('p', {}, h('a', { href: `#/try/${encodeURIComponent(`${model.name}/${model.version}`)}` }, 'Try it')),
    model.holders.length === 0
      ? empty('No engine holds it.')
      : table(
          [
            { name: 'Held by', cell: ({ id }) => h('span', { class: 'name' }, id) },
            { name: 'State', cell: ({ state }) => badge(state) },
            { name: 'Checksum', cell: ({ checksum }) => h('code', {}, checksum || '–') },
            { name: 'Weights', wide: true, cell: ({ problem }) => problem || 'as in the repository' },
          ],
          model.holders,
        ),
    model.labels.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, plural(model.labels.length, 'label')),
        h('ol', { class: 'labels', start: '0' }, ...model.labels.map((label) => h('li', {}, label))),
      ),
  );
}
