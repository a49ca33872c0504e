// Draws the activity of layers as text: how often each fired, and which neurons when. A picture keeps to the width and
// has a maximum height, whatever the size of the network and the length of the run. --json has everything.
import type { LayerActivity } from '../generated/tandem/v1/reasoning.ts';
import { columns } from './columns.ts';
import { sparkline } from './sparkline.ts';

const MAX_LAYERS = 24;
const MAX_ROWS = 24;
/** Rows of all rasters together, so deep networks get lower ones. */
const MAX_ROWS_IN_ALL = 120;
const MIN_CELLS = 16;
/** Width of the columns beside the sparkline, for most names. */
const TABLE_CELLS = 56;
/** Shades from "nothing fired" to "every neuron fired at every step". */
const SHADES = [' ', '░', '▒', '▓', '█'];

/** Returns lines; none if there are no layers. */
export function describeLayers(layers: readonly LayerActivity[], steps: number, width: number): string[] {
  if (layers.length === 0) return [];
  const shown = layers.slice(0, MAX_LAYERS);
  const rows = Math.min(MAX_ROWS, Math.max(1, Math.floor(MAX_ROWS_IN_ALL / shown.length)));
  const more = layers.length - shown.length;
  return [
    '',
    ...activityTable(shown, steps, width),
    ...(more > 0 ? [`and ${more} more layers; see --json`] : []),
    ...shown.filter(({ eventSteps }) => eventSteps.length > 0).flatMap((layer) => raster(layer, steps, width, rows)),
    ...leftOut(layers),
  ];
}

function activityTable(layers: readonly LayerActivity[], steps: number, width: number): string[] {
  const cells = Math.max(MIN_CELLS, width - TABLE_CELLS);
  const share = ({ spikes, neurons }: LayerActivity): number => Number(spikes) / Math.max(1, neurons * steps);
  return columns<LayerActivity>(
    [
      { head: 'LAYER', cell: ({ node }) => node },
      { head: 'NEURONS', cell: ({ neurons }) => String(neurons), align: 'right' },
      { head: 'SPIKES', cell: ({ spikes }) => String(spikes), align: 'right' },
      { head: 'FIRING', cell: (layer) => `${(100 * share(layer)).toFixed(1)} %`, align: 'right' },
      {
        head: `SPIKES AT EACH OF ${steps} STEPS`,
        cell: ({ spikesPerStep }) => sparkline(means(spikesPerStep, cells), cells),
        dispensable: 1,
      },
    ],
    layers,
    width,
  );
}

/** Sums over equal parts, one for each cell; the values themselves if they fit. */
function means(values: readonly number[], cells: number): number[] {
  const count = Math.min(values.length, cells);
  return Array.from({ length: count }, (_, cell) => {
    const part = values.slice(startOf(cell, count, values.length), startOf(cell + 1, count, values.length));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

/** Neurons downwards, steps to the right. A cell's shade is the share of possible spikes in it. */
function raster(layer: LayerActivity, steps: number, width: number, maxRows: number): string[] {
  const { node, neurons, eventSteps, eventNeurons } = layer;
  const rows = Math.min(neurons, maxRows);
  const label = String(neurons - 1).length;
  const cells = Math.min(steps, Math.max(MIN_CELLS, width - label - 3));
  const fired = new Uint32Array(rows * cells);
  eventSteps.forEach((step, event) => {
    const row = partOf(eventNeurons[event] ?? 0, rows, neurons);
    const at = row * cells + partOf(step, cells, steps);
    if (at < fired.length) fired[at] = (fired[at] ?? 0) + 1;
  });
  const size = (part: number, parts: number, all: number): number =>
    startOf(part + 1, parts, all) - startOf(part, parts, all);
  const lines = Array.from({ length: rows }, (_, row) => {
    const drawn = Array.from({ length: cells }, (__, cell) => {
      const most = size(row, rows, neurons) * size(cell, cells, steps);
      return SHADES[Math.ceil((4 * (fired[row * cells + cell] ?? 0)) / most)] ?? '█';
    });
    return `${String(startOf(row, rows, neurons)).padStart(label)} │${drawn.join('')}│`;
  });
  const scale = `${each(neurons, rows, 'neuron')} a row, ${each(steps, cells, 'step')} a column`;
  return ['', `${node}: ${scale}`, ...lines];
}

/** "1 neuron", "about 8 neurons". */
function each(all: number, parts: number, what: string): string {
  if (all === parts) return `1 ${what}`;
  return `${all % parts === 0 ? '' : 'about '}${Math.round(all / parts)} ${what}s`;
}

function leftOut(layers: readonly LayerActivity[]): string[] {
  const left = layers.reduce((sum, { eventsLeftOut }) => sum + eventsLeftOut, 0n);
  if (left === 0n) return [];
  const last = layers.reduce((step, { eventSteps }) => Math.max(step, eventSteps.at(-1) ?? 0), 0);
  return ['', `${left} spikes from step ${last} on are not listed: they came after the first 100,000`];
}

/** Index of the first of `all` elements in part `part` of `parts`. */
function startOf(part: number, parts: number, all: number): number {
  return Math.ceil((part * all) / parts);
}

/** The part that contains `element`. */
function partOf(element: number, parts: number, all: number): number {
  return Math.floor((element * parts) / all);
}
