// The model repository: what there is, what goes in and comes out, and whether all that hold it hold the same.
import { poll } from '../api.js';
import { fill, h } from '../dom.js';
import { count, duration, joules, plural } from '../format.js';
import { badge, empty, facts, failure, heading, table } from '../ui.js';

export function start(root) {
  const list = h('div', { class: 'cards' });
  root.append(heading('Models', 'Versions, shapes, labels, checksums, and which engines hold them.'), list);
  const stop = poll(
    '/api/models',
    5_000,
    ({ models, defaultModel }) =>
      fill(list, ...(models.length === 0 ? [none()] : models.map((model) => card(model, defaultModel)))),
    (error) => fill(list, failure(error)),
  );
  return { stop };
}

function none() {
  return empty(
    'The model repository is empty. Put a model there, as <model>/model.yaml and <model>/1/model.nir (setting models_dir).',
  );
}

function card(model, defaultModel) {
  const checksums = [...new Set(model.holders.map(({ checksum }) => checksum).filter(Boolean))];
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
        model.error
          ? badge('DOWN', 'Cannot be used')
          : badge(checksums.length === 0 ? 'DRAINING' : 'READY', checksums.length === 0 ? 'Held by nobody' : 'Served'),
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
      ['Temperature', String(model.temperature)],
      ['Answered', `${plural(model.requests, 'input')}, also from the cache`],
      ['Computed', `${plural(model.inferences, 'time')}, in ${duration(model.computeS * 1_000)}`],
      ['Energy, estimated', `${joules(model.energyJ)} for ${count(model.synapticOperations)} synaptic operations`],
      ['Known answers', model.golden === 0 ? 'none: engines cannot be probed with it' : count(model.golden)],
    ),
    model.holders.length === 0
      ? empty('No engine holds it.')
      : table(
          [
            { name: 'Held by', cell: ({ id }) => h('span', { class: 'name' }, id) },
            { name: 'State', cell: ({ state }) => badge(state) },
            { name: 'Checksum', cell: ({ checksum }) => h('code', {}, checksum || '–') },
            { name: 'Weights', wide: true, cell: (holder) => weights(holder, checksums) },
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

function weights({ checksum, error }, checksums) {
  if (error) return error;
  return checksums.length === 1 ? 'the same everywhere' : `differ: variant ${checksums.indexOf(checksum) + 1}`;
}
