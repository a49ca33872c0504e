import * as at from '../../core/state-bytes.ts';
import { describe, expect, it } from '@jest/globals';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { Random } from '../../../test/fuzz/random.ts';
import { generate } from '../../../test/fuzz/generate.ts';
import { xxh64 } from '../xxh64.ts';
import { refuseState } from './check-state.ts';
import { Interrupt } from './interrupt.ts';
import type { Network } from './network.ts';
import { Simulator } from './simulator.ts';

const SERIES = 'dt: 1\ninput: {kind: series}';
const fires = node('IF', { r: 1, v_threshold: 2.5 });

/** input → n, n → n over a delayed edge, n → output: the state ends with `v` and the last output. */
function loop(type = fires): Network {
  const graph = chain(1, 1, { n: type });
  return compileGraph({ ...graph, edges: [...graph.edges, ['n', 'n']] }, SERIES);
}

function stateOf(network: Network, rows: readonly number[]): Uint8Array {
  const simulator = new Simulator(network);
  const session = { state: new Uint8Array(0), returnState: true };
  const steps = network.inputKind === 'series' ? rows.length / network.inputSize : network.steps;
  return simulator.run(Float32Array.from(rows), steps, Interrupt.never(), undefined, session).state!;
}

function refusalOf(network: Network, state: Uint8Array, newSteps = 1): string {
  return refuseState(state, newSteps, network, new Simulator(network).stateLayout)?.kind ?? '';
}

/** Returns the state with a correct checksum. */
function sealed(state: Uint8Array): Uint8Array {
  const checked = state.length - at.CHECKSUM_BYTES;
  new DataView(state.buffer).setBigUint64(checked, xxh64(state.subarray(0, checked)), true);
  return state;
}

function changed(state: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = Uint8Array.from(state);
  change(new DataView(copy.buffer));
  return sealed(copy);
}

describe('refuseState', () => {
  const network = loop();
  const good = stateOf(network, [1, 1, 1, 1]);
  const outputAt = good.length - at.CHECKSUM_BYTES - 4;

  it.each([
    [4_000_000, 'does not begin with "TST1"'],
    [4_000_001, 'has 4000001 bytes, not 52 to 4000000'],
  ])('accepts at most 4,000,000 bytes: %d', (bytes, problem) => {
    const refused = refuseState(new Uint8Array(bytes), 1, network, new Simulator(network).stateLayout);
    expect(refused?.message).toContain(problem);
  });

  it('accepts a state of a run', () => {
    expect(refusalOf(network, good)).toBe('');
  });

  it.each<[string, string, (view: DataView) => void]>([
    ['other first bytes', 'STATE_INVALID', (view) => view.setUint8(0, 88)],
    ['a body of another length', 'STATE_INVALID', (view) => view.setUint32(at.BODY_BYTES_AT, 12, true)],
    ['another model', 'STATE_MODEL', (view) => view.setBigUint64(at.MODEL_ID_AT, 43n, true)],
    ['no steps', 'STATE_INVALID', (view) => view.setUint32(at.STEPS_AT, 0, true)],
    ['the digest of an input', 'STATE_INVALID', (view) => view.setBigUint64(at.INPUT_DIGEST_AT, 1n, true)],
    ['more spikes than its steps give', 'STATE_INVALID', (view) => view.setBigUint64(at.TOTAL_SPIKES_AT, 5n, true)],
    ['fewer spikes than it counts', 'STATE_INVALID', (view) => view.setBigUint64(at.TOTAL_SPIKES_AT, 0n, true)],
    [
      'a total that is too large',
      'STATE_INVALID',
      (view) => view.setBigUint64(at.SYNAPTIC_OPERATIONS_AT, 2n ** 52n + 1n, true),
    ],
    ['a count above its steps', 'STATE_INVALID', (view) => view.setUint32(at.COUNTS_AT, 5, true)],
    ['a potential that is NaN', 'STATE_INVALID', (view) => view.setFloat32(outputAt - 4, NaN, true)],
    ['any finite potential', '', (view) => view.setFloat32(outputAt - 4, -1e30, true)],
    ['half a spike', 'STATE_INVALID', (view) => view.setFloat32(outputAt, 0.5, true)],
    ['two spikes of one neuron', 'STATE_INVALID', (view) => view.setFloat32(outputAt, 2, true)],
    ['-0 spikes', 'STATE_INVALID', (view) => view.setFloat32(outputAt, -0, true)],
    ['a spike', '', (view) => view.setFloat32(outputAt, 1, true)],
  ])('returns for a state with %s: "%s"', (_, refusal, change) => {
    expect(refusalOf(network, changed(good, change))).toBe(refusal);
  });

  it('refuses a state with other bytes or another length', () => {
    const flipped = Uint8Array.from(good);
    flipped[at.COUNTS_AT]! ^= 1;
    const longer = sealed(Uint8Array.from([...good, 1, 2, 3, 4]));
    const bad = [Buffer.from('x'), flipped, longer, new Uint8Array(4_000_001), good.slice(0, -1)];
    expect(bad.map((state) => refusalOf(network, state))).toEqual(bad.map(() => 'STATE_INVALID'));
  });

  it('requires equal potential and output of an integrator', () => {
    const integrates = loop(node('I', { r: 1 }));
    const state = stateOf(integrates, [1, 1]);
    const from = state.length - at.CHECKSUM_BYTES - 4;
    expect(refusalOf(integrates, state)).toBe('');
    expect(
      refusalOf(
        integrates,
        changed(state, (view) => view.setFloat32(from, 0.25, true)),
      ),
    ).toBe('STATE_INVALID');
  });

  it('refuses too many steps', () => {
    const old = changed(good, (view) => view.setUint32(at.STEPS_AT, 2 ** 32 - 3, true));
    expect([refusalOf(network, old, 2), refusalOf(network, old, 3)]).toEqual(['', 'INPUT_STEPS']);
  });
});

describe('a run from a state', () => {
  it('counts the operations of the constant part only if the input changes', () => {
    const network = compileGraph(
      chain(1, 1, { a: node('Linear', { weight: { shape: [1, 1], values: [2] } }) }),
      'dt: 1\nsteps: 3',
    );
    const simulator = new Simulator(network);
    let state = new Uint8Array(0);
    const operations = [1, 1, 2].map((value) => {
      const session = { state, returnState: true };
      const result = simulator.run(Float32Array.of(value), 3, Interrupt.never(), undefined, session);
      state = result.state!;
      return result.synapticOperations;
    });
    expect(operations).toEqual([1, 1, 2]);
  });

  it.each(['CubaLIF', 'CubaLI'])('of one %s neuron gives the state of one run over all steps', (type) => {
    const times = { tau_syn: 4, tau_mem: 4, r: 1, v_leak: 0, w_in: 1 };
    const neuron = node(type, type === 'CubaLIF' ? { ...times, v_threshold: 5 } : times);
    const network = compileGraph(chain(1, 1, { n: neuron }), SERIES);
    const run = (rows: readonly number[], state: Uint8Array): Uint8Array => {
      const session = { state, returnState: true };
      return new Simulator(network).run(Float32Array.from(rows), rows.length, Interrupt.never(), undefined, session)
        .state!;
    };
    const [whole, first] = [stateOf(network, [8, 0, 0, 0]), stateOf(network, [8, 0])];
    expect(run([0, 0], first)).toEqual(whole);
  });

  it('from a damaged state is refused or computes', () => {
    const tally = { refused: 0, computed: 0, failed: 0 };
    for (let seed = 6_000_000; seed < 6_000_060; seed += 1) damage(seed, tally);
    expect(tally.refused).toBeGreaterThan(100);
    expect(tally.computed).toBeGreaterThan(100);
  });
});

function damage(seed: number, tally: { refused: number; computed: number; failed: number }): void {
  const random = new Random(seed);
  const { graph, manifest } = generate(seed);
  let simulator: Simulator;
  let good: Uint8Array;
  try {
    simulator = new Simulator(compileGraph(graph, manifest));
    const { inputKind, inputSize } = simulator.network;
    good = stateOf(simulator.network, Array<number>(inputKind === 'series' ? 3 * inputSize : inputSize).fill(1));
  } catch {
    return; // a model that is refused, or a run that fails
  }
  const { network, stateLayout } = simulator;
  const input = new Float32Array((network.inputKind === 'series' ? 2 : 1) * network.inputSize).fill(0.5);
  for (let n = 0; n < 20; n += 1) {
    const state = changed(good, (view) => {
      for (let k = random.integer(1, 4); k > 0; k -= 1) {
        view.setUint8(random.integer(0, good.length - 1), random.integer(0, 255));
      }
    });
    if (refuseState(state, 2, network, stateLayout) !== undefined) {
      tally.refused += 1;
      continue;
    }
    try {
      simulator.run(input, 2, Interrupt.never(), undefined, { state, returnState: true });
      tally.computed += 1;
    } catch (error) {
      expect((error as Error).constructor.name).toBe('NonFinite');
      tally.failed += 1;
    }
  }
}
