// Hand-made recordings: "lif" spikes, "li" does not.
import type { RecordedNode, Recording } from '../../services/engines/engine.ts';

interface FakeRun {
  readonly steps?: number;
  readonly neurons?: number;
  /** Whether a neuron of "lif" spikes. */
  readonly spikes?: (step: number, neuron: number) => boolean;
  /** State checksum of a node after a step. */
  readonly state?: (step: number, node: string) => number;
  readonly ended?: string;
}

export function everyThird(step: number, neuron: number): boolean {
  return (step + neuron) % 3 === 0;
}

/** 4 steps, 10 neurons, every third one spikes. */
export function fakeRecording(run: FakeRun = {}): Recording {
  const { steps = 4, neurons = 10, spikes = everyThird, state = (step: number): number => step, ended = '' } = run;
  const rowBytes = Math.ceil(neurons / 8);
  const bits = new Uint8Array(steps * rowBytes);
  for (let step = 0; step < steps; step += 1) {
    for (let neuron = 0; neuron < neurons; neuron += 1) {
      if (spikes(step, neuron)) bits[step * rowBytes + (neuron >> 3)]! |= 1 << (neuron % 8);
    }
  }
  const stateOf = (node: string): Uint32Array => Uint32Array.from({ length: steps }, (_, step) => state(step, node));
  return {
    steps,
    nodes: [
      { node: 'lif', elements: neurons, spikes: bits, stateChecksums: stateOf('lif') },
      { node: 'li', elements: 2, spikes: new Uint8Array(0), stateChecksums: stateOf('li') },
    ],
    ended,
  };
}

/** The same with one node changed. */
export function withNode(recording: Recording, index: number, over: Partial<RecordedNode>): Recording {
  const nodes = recording.nodes.map((node, each) => (each === index ? { ...node, ...over } : node));
  return { ...recording, nodes };
}
