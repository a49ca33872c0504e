// Records the activity of the layers of spiking neurons in each step of a run: proto/NUMERICS.md, "Layers".
import type { LayerActivity } from '../../core/inference.ts';
import { MAX_RASTER_EVENTS } from '../engine.ts';
import type { RuntimeNode } from './runtime-node.ts';

interface Recording {
  readonly node: RuntimeNode;
  spikes: number;
  readonly spikesPerStep: number[];
  readonly eventSteps: number[];
  readonly eventNeurons: number[];
  eventsLeftOut: number;
}

/** For one run. */
export class LayerRecorder {
  readonly #recordings: readonly Recording[];
  readonly #isRaster: boolean;
  #eventsLeft = MAX_RASTER_EVENTS;

  /** `nodes`: all nodes of the network, in order of evaluation. */
  constructor(nodes: readonly RuntimeNode[], detail: 'LAYERS' | 'RASTER') {
    this.#isRaster = detail === 'RASTER';
    this.#recordings = nodes
      .filter(({ firesSpikes }) => firesSpikes)
      .map((node) => ({ node, spikes: 0, spikesPerStep: [], eventSteps: [], eventNeurons: [], eventsLeftOut: 0 }));
  }

  /** Records the step that has just ended. */
  readonly record = (step: number): void => {
    for (const recording of this.#recordings) {
      const { node } = recording;
      const { at, count: firing } = node.spikes!;
      const count = node.spikeCount();
      recording.spikes += count;
      recording.spikesPerStep.push(count);
      if (!this.#isRaster) continue;
      const listed = Math.min(count, this.#eventsLeft);
      let left = listed;
      for (let n = 0; n < firing && left > 0; n += 1) {
        const neuron = at[n]!;
        for (let spike = 0; spike < node.y[neuron]! && left > 0; spike += 1, left -= 1) {
          recording.eventSteps.push(step);
          recording.eventNeurons.push(neuron);
        }
      }
      this.#eventsLeft -= listed;
      recording.eventsLeftOut += count - listed;
    }
  };

  layers(): LayerActivity[] {
    return this.#recordings.map(({ node, ...activity }) => ({ node: node.name, neurons: node.y.length, ...activity }));
  }
}
