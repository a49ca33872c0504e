// Properties of every pair of recordings.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RecordedNode, Recording } from '../engines/engine.ts';
import { compareRecordings, mismatch, recordingProblem } from './recording-compare.ts';
import { rasterOf } from './recording-raster.ts';

const NOTHING = { steps: undefined, nodes: undefined, readout: undefined };

interface Flip {
  readonly step: number;
  readonly node: number;
  /** Undefined: a bit of the state checksum. */
  readonly neuron: number | undefined;
}

const anySizes = fc.record({
  steps: fc.integer({ min: 1, max: 90 }),
  nodes: fc.array(
    fc.record({
      elements: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 250, max: 270 })),
      spikes: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  seed: fc.integer(),
});

const anyPair = anySizes.chain((sizes) =>
  fc.record({
    sizes: fc.constant(sizes),
    flips: fc.array(
      fc
        .record({
          step: fc.integer({ min: 0, max: sizes.steps - 1 }),
          node: fc.integer({ min: 0, max: sizes.nodes.length - 1 }),
          at: fc.nat(),
          isSpike: fc.boolean(),
        })
        .map(({ step, node, at, isSpike }): Flip => {
          const { elements, spikes } = sizes.nodes[node]!;
          return { step, node, neuron: isSpike && spikes ? at % elements : undefined };
        }),
      { maxLength: 8 },
    ),
  }),
);

function make({
  steps,
  nodes,
  seed,
}: {
  steps: number;
  nodes: { elements: number; spikes: boolean }[];
  seed: number;
}): Recording {
  let state = seed >>> 0;
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
  const toNode = ({ elements, spikes }: { elements: number; spikes: boolean }, index: number): RecordedNode => {
    const rowBytes = Math.ceil(elements / 8);
    const bits = Uint8Array.from({ length: spikes ? steps * rowBytes : 0 }, (_, at) => {
      const unused = at % rowBytes === rowBytes - 1 ? 8 * rowBytes - elements : 0;
      return (next() >>> 24) & (255 >> unused);
    });
    return { node: `n${index}`, elements, spikes: bits, stateChecksums: Uint32Array.from({ length: steps }, next) };
  };
  return { steps, nodes: nodes.map(toNode), ended: '' };
}

/** Flips each bit once. */
function flip(recording: Recording, flips: readonly Flip[]): Recording {
  const nodes = recording.nodes.map(({ spikes, stateChecksums, ...node }) => {
    return { ...node, spikes: spikes.slice(), stateChecksums: stateChecksums.slice() };
  });
  for (const { step, node, neuron } of flips) {
    const { elements, spikes, stateChecksums } = nodes[node]!;
    if (neuron === undefined) stateChecksums[step]! ^= 1;
    else spikes[step * Math.ceil(elements / 8) + (neuron >> 3)]! ^= 1 << (neuron % 8);
  }
  return { ...recording, nodes };
}

function firstOf(flips: readonly Flip[]): { step: number; node: string; neuron: number | undefined } | undefined {
  const inOrder = flips.toSorted((a, b) => a.step - b.step || a.node - b.node || (a.neuron ?? 0) - (b.neuron ?? 0));
  const [first] = inOrder;
  return first && { step: first.step, node: `n${first.node}`, neuron: first.neuron };
}

describe('compareRecordings', () => {
  it('finds the first flipped bit', () => {
    fc.assert(
      fc.property(anyPair, ({ sizes, flips: drawn }) => {
        const flips = [...new Map(drawn.map((each) => [`${each.step} ${each.node} ${each.neuron}`, each])).values()];
        const reference = make(sizes);
        const recording = flip(reference, flips);
        expect([recordingProblem(recording, NOTHING), mismatch(recording, reference)]).toEqual(['', '']);
        const found = compareRecordings(recording, reference);
        const state = firstOf(flips.filter(({ neuron }) => neuron === undefined));
        const spike = firstOf(flips.filter(({ neuron }) => neuron !== undefined));
        expect(found.state).toEqual(state && { step: state.step, node: state.node });
        expect(found.spike && { ...found.spike, spiked: undefined }).toEqual(spike && { ...spike, spiked: undefined });
        const any = firstOf(flips);
        expect(found.first).toEqual(any && { step: any.step, node: any.node });
        // In reverse the location is the same, and the other engine spiked.
        const mirrored = compareRecordings(reference, recording);
        expect(mirrored.first).toEqual(found.first);
        if (found.spike !== undefined) expect(mirrored.spike?.spiked).toBe(!found.spike.spiked);
      }),
      { numRuns: 200 },
    );
  });

  it('gives a raster of bounded size that shows the difference', () => {
    fc.assert(
      fc.property(anyPair, ({ sizes, flips }) => {
        const reference = make(sizes);
        const recording = flip(reference, flips);
        const found = compareRecordings(recording, reference);
        const raster = rasterOf(found, recording, reference);
        if (raster === undefined) return;
        expect(raster.steps).toBeLessThanOrEqual(64);
        expect(raster.neurons).toBeLessThanOrEqual(256);
        const rowBytes = Math.ceil(raster.neurons / 8);
        expect([raster.spikes.length, raster.referenceSpikes.length]).toEqual(Array(2).fill(raster.steps * rowBytes));
        if (found.spike === undefined) return;
        const { step, neuron, spiked } = found.spike;
        const [row, column] = [step - raster.firstStep, neuron - raster.firstNeuron];
        expect([row >= 0 && row < raster.steps, column >= 0 && column < raster.neurons]).toEqual([true, true]);
        const bitOf = (bits: Uint8Array): number => (bits[row * rowBytes + (column >> 3)]! >> (column % 8)) & 1;
        expect([bitOf(raster.spikes), bitOf(raster.referenceSpikes)]).toEqual([Number(spiked), Number(!spiked)]);
      }),
      { numRuns: 200 },
    );
  });

  it('never throws, for any recording of an engine', () => {
    const anyBytes = fc.uint8Array({ maxLength: 64 });
    const anyNode = fc.record({
      node: fc.constantFrom('a', 'b', ''),
      elements: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(2 ** 32 - 1)),
      spikes: anyBytes,
      stateChecksums: fc.uint32Array({ maxLength: 5 }),
    });
    const anyRecording: fc.Arbitrary<Recording> = fc.record({
      steps: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(2 ** 32 - 1)),
      nodes: fc.array(anyNode, { maxLength: 3 }),
      ended: fc.constantFrom('', 'NON_FINITE', 'x'),
    });
    fc.assert(
      fc.property(anyRecording, anyRecording, (recording, reference) => {
        if (recordingProblem(recording, NOTHING) !== '' || recordingProblem(reference, NOTHING) !== '') return;
        if (mismatch(recording, reference) !== '') return;
        rasterOf(compareRecordings(recording, reference), recording, reference);
      }),
      { numRuns: 5_000 },
    );
  });
});
