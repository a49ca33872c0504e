// Live spikes of an open session: one column per message, neuron 0 at the bottom.
import { poll } from './api.js';
import { fill, h } from './dom.js';
import { rasterFigure, svg } from './rasters.js';
import { empty, failure, panel } from './ui.js';

const POLL_MS = 250;
/** Initial width, so that the picture does not grow. */
const LEAST_STEPS = 64;

/** Returns the element and a function that stops it. */
export function sessionRaster({ serial, id }) {
  const content = h('div');
  const element = panel(`Spikes of ${id}`, { class: 'full-wide' }, content);
  let hasDrawn = false;
  const stop = poll(
    `/api/sessions/${serial}/spikes`,
    POLL_MS,
    ({ neurons, rows }) => {
      hasDrawn ||= rows.length > 0;
      fill(content, rows.length === 0 ? waiting() : picture(id, neurons, rows));
    },
    (error) => {
      // When a session ends, its last picture stays.
      if (error.reason === 'SESSION_UNKNOWN') stop();
      if (!hasDrawn || error.reason !== 'SESSION_UNKNOWN') fill(content, failure(error));
    },
  );
  return { element, stop };
}

function waiting() {
  return empty('The readout is drawn when the next message arrives.');
}

function picture(id, neurons, rows) {
  const from = rows[0].fromStep;
  const steps = Math.max(LEAST_STEPS, rows.at(-1).toStep - from);
  const path = rows
    .flatMap(({ fromStep, toStep, neurons: fired }) => {
      const width = toStep - fromStep;
      return fired.map((neuron) => `M${fromStep - from} ${neurons - 1 - neuron}h${width}v1h-${width}z`);
    })
    .join('');
  const range = { firstStep: from, steps, firstNeuron: 0, neurons };
  return rasterFigure('readout', `Spikes of session ${id}`, range, svg('path', { class: 'other', d: path }));
}
