// The spikes of two engines around their first difference, one picture each. Time goes to the right, neuron 0 is at the
// bottom. Spikes of both are grey; spikes of only one have its colour.
import { h } from './dom.js';
import { count } from './format.js';

const SVG = 'http://www.w3.org/2000/svg';
const NEURON_PX = 4;
const [MIN_PX, MAX_PX] = [72, 320];
/** Pages refresh every few seconds, so drawn pictures are cached. */
const MAX_DRAWN = 400;
const drawn = new Map();

/** `difference`: from /api/disputes, with a raster. */
export function rasters({ engine, reference, raster }) {
  const { node, stateStep } = raster;
  const paths = pathsOf(raster);
  return h(
    'div',
    { class: 'rasters' },
    picture(engine, 'own', paths.both, paths.own, raster),
    picture(reference, 'other', paths.both, paths.other, raster),
    h(
      'p',
      { class: 'note legend' },
      h('span', { class: 'name' }, `Node “${node}”`),
      key('both', 'both spiked'),
      key('own', `only ${engine} spiked`),
      key('other', `only ${reference} spiked`),
      stateStep !== undefined && key('state', `step ${stateStep}: the state began to differ`),
    ),
  );
}

function key(kind, text) {
  return h('span', { class: `key ${kind}` }, h('span', { class: 'name' }, text));
}

function picture(engine, kind, both, own, raster) {
  const { node, firstStep, steps, neurons, stateStep } = raster;
  const band = stateStep === undefined ? -1 : stateStep - firstStep;
  return rasterFigure(
    engine,
    `Spikes of node ${node} in ${engine}`,
    raster,
    ...(band >= 0 && band < steps ? [svg('rect', { class: 'state', x: band, width: 1, height: neurons })] : []),
    svg('path', { class: 'both', d: both }),
    svg('path', { class: kind, d: own }),
  );
}

/** `spikes`: paths, one unit wide per step and one unit high per neuron. */
export function rasterFigure(name, label, { firstStep, steps, firstNeuron, neurons }, ...spikes) {
  const lastStep = firstStep + steps - 1;
  const lastNeuron = firstNeuron + neurons - 1;
  const height = Math.min(MAX_PX, Math.max(MIN_PX, neurons * NEURON_PX));
  const range = `neurons ${firstNeuron} to ${lastNeuron}, steps ${firstStep} to ${lastStep}`;
  return h(
    'figure',
    { class: 'raster', vars: { '--height': `${height}px` } },
    h('figcaption', { class: 'name' }, name),
    h(
      'div',
      { class: 'raster-neurons' },
      h('span', {}, count(lastNeuron)),
      h('span', {}, 'neuron'),
      h('span', {}, count(firstNeuron)),
    ),
    svg(
      'svg',
      {
        viewBox: `0 0 ${steps} ${neurons}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${label}: ${range}`,
      },
      ...spikes,
    ),
    h(
      'div',
      { class: 'raster-steps' },
      h('span', {}, `step ${count(firstStep)}`),
      h('span', {}, `step ${count(lastStep)}`),
    ),
  );
}

/** A square for each spike: in both, in the first only, in the second only. */
function pathsOf({ steps, neurons, spikes, referenceSpikes }) {
  const key = `${steps} ${neurons} ${spikes} ${referenceSpikes}`;
  const known = drawn.get(key);
  if (known !== undefined) return known;
  const paths = { both: '', own: '', other: '' };
  const [mine, theirs] = [atob(spikes), atob(referenceSpikes)];
  const rowBytes = Math.ceil(neurons / 8);
  for (let step = 0; step < steps; step += 1) {
    for (let neuron = 0; neuron < neurons; neuron += 1) {
      const at = step * rowBytes + (neuron >> 3);
      const bit = 1 << (neuron % 8);
      const [one, two] = [mine.charCodeAt(at) & bit, theirs.charCodeAt(at) & bit];
      if (!one && !two) continue;
      paths[one && two ? 'both' : one ? 'own' : 'other'] += `M${step} ${neurons - 1 - neuron}h1v1h-1z`;
    }
  }
  if (drawn.size >= MAX_DRAWN) drawn.clear();
  drawn.set(key, paths);
  return paths;
}

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
