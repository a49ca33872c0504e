// States at the limits of what a run can give (proto/NUMERICS.md, "Session state"); session-state.test.ts has the others.
import { describe, expect, it } from '@jest/globals';
import type { GraphSpec, NodeSpec } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import * as at from '../../core/state-bytes.ts';
import { xxh64 } from '../xxh64.ts';
import { refuseState } from './check-state.ts';
import { Interrupt } from './interrupt.ts';
import type { Network } from './network.ts';
import { Simulator } from './simulator.ts';
import { stateLayout } from './state-layout.ts';

const SERIES = 'dt: 1\ninput: {kind: series}';
const MULTIPLE = 'spikes_per_step: multiple\nreset: subtract';
const fires = node('IF', { r: 1, v_threshold: 1.5 });
const flat = node('Flatten', { input_type: { shape: [1], values: [2], dtype: 'int64' } });

/** `n` over two elements, with an edge back to itself, directly or through other nodes. */
function looped(n: NodeSpec, settings = '', through: Readonly<Record<string, NodeSpec>> = {}): Network {
  const graph = chain(2, 2, { n });
  const back = ['n', ...Object.keys(through), 'n'];
  const edges = back.slice(1).map((name, k) => [back[k]!, name] as const);
  const all: GraphSpec = { ...graph, nodes: { ...graph.nodes, ...through }, edges: [...graph.edges, ...edges] };
  return compileGraph(all, `${SERIES}\n${settings}`);
}

function stateOf(network: Network, steps: number): Uint8Array {
  const session = { state: new Uint8Array(0), returnState: true };
  const rows = network.inputKind === 'series' ? steps : 1;
  const input = new Float32Array(rows * network.inputSize).fill(1);
  return new Simulator(network).run(input, steps, Interrupt.never(), undefined, session).state!;
}

/** What is wrong with the state after this change; empty: nothing. */
function problemOf(
  network: Network,
  change: (view: DataView) => void = () => undefined,
  { steps = 4, newSteps = 1 } = {},
): string {
  const state = Uint8Array.from(stateOf(network, steps));
  const view = new DataView(state.buffer);
  change(view);
  const checked = state.length - at.CHECKSUM_BYTES;
  view.setBigUint64(checked, xxh64(state.subarray(0, checked)), true);
  const refused = refuseState(state, newSteps, network, stateLayout(network));
  return refused === undefined ? '' : `${refused.kind}: ${refused.message.split(/;|, not/)[0]!}`;
}

const network = looped(fires);
/** Two counts, two potentials of the readout, two of the node, two outputs that go back. */
const POTENTIALS_AT = at.COUNTS_AT + 16;
const OUTPUTS_AT = at.COUNTS_AT + 24;

describe('a state with', () => {
  const total = (spikes: bigint) => (view: DataView) => view.setBigUint64(at.TOTAL_SPIKES_AT, spikes, true);
  const counts = (one: number, other: number) => (view: DataView) => {
    view.setUint32(at.COUNTS_AT, one, true);
    view.setUint32(at.COUNTS_AT + 4, other, true);
    total(8n)(view);
  };
  const all = (...changes: readonly ((view: DataView) => void)[]) => {
    return (view: DataView) => {
      for (const change of changes) change(view);
    };
  };
  const operations = (count: bigint) => (view: DataView) => {
    view.setBigUint64(at.SYNAPTIC_OPERATIONS_AT, count, true);
  };
  const output = (k: number, value: number) => (view: DataView) => view.setFloat32(OUTPUTS_AT + 4 * k, value, true);

  it.each<[string, (view: DataView) => void, string]>([
    ['as many spikes as its steps give', total(8n), ''],
    ['one more', total(9n), 'STATE_INVALID: state has more spikes than its steps can give'],
    ['as many spikes as it counts', counts(4, 4), ''],
    ['a count above its steps', counts(4, 5), 'STATE_INVALID: state has a spike count above 4'],
    [
      'fewer spikes than it counts',
      all(counts(2, 2), total(3n)),
      'STATE_INVALID: state has spike counts above its total of spikes',
    ],
    ['just as many spikes as it counts', all(counts(2, 2), total(4n)), ''],
    ['operations up to the limit', operations(2n ** 52n), ''],
    ['operations above it', operations(2n ** 52n + 1n), `STATE_INVALID: state has a total above ${2 ** 52}`],
    ['the largest steps of a session', (view) => view.setUint32(at.STEPS_AT, 2 ** 32 - 2, true), ''],
    [
      'a potential that is infinite',
      (view) => view.setFloat32(POTENTIALS_AT, -Infinity, true),
      `STATE_INVALID: state has a number that is not finite at byte ${POTENTIALS_AT}`,
    ],
    [
      'a readout that is NaN',
      (view) => view.setFloat32(at.COUNTS_AT + 8, NaN, true),
      `STATE_INVALID: state has a number that is not finite at byte ${at.COUNTS_AT + 8}`,
    ],
    ['large potentials', (view) => view.setFloat32(POTENTIALS_AT, 3e38, true), ''],
    ['one output of 1', all(output(0, 0), output(1, 1)), ''],
    ['a last output of 2', output(1, 2), 'STATE_INVALID: state has a last output of node "n" that no step gives'],
    ['a last output below 0', output(1, -1), 'STATE_INVALID: state has a last output of node "n" that no step gives'],
    ['the same model', (view) => view.setBigUint64(at.MODEL_ID_AT, network.modelId, true), ''],
    [
      'a shorter body',
      (view) => view.setUint32(at.BODY_BYTES_AT, 40, true),
      'STATE_INVALID: state has 84 bytes or a body of another length',
    ],
  ])('%s: "%s"', (_, change, expected) => {
    expect(problemOf(network, change)).toBe(expected);
  });

  it('too many steps for its session is refused as such', () => {
    const late = (view: DataView): void => view.setUint32(at.STEPS_AT, 2 ** 32 - 4, true);
    expect(problemOf(network, late, { newSteps: 3 })).toBe('');
    expect(problemOf(network, late, { newSteps: 4 })).toMatch(
      /^INPUT_STEPS: the session has 4294967292 steps, and 4 more/,
    );
  });

  it('more steps than a session may have is invalid', () => {
    const multiple = looped(fires, MULTIPLE);
    const set = (steps: number) => (view: DataView) => view.setUint32(at.STEPS_AT, steps, true);
    expect(problemOf(multiple, set(1_048_576), { newSteps: 0 })).toBe('');
    expect(problemOf(multiple, set(1_048_577))).toBe('STATE_INVALID: state has 1048577 steps');
    expect(problemOf(multiple, set(1_048_575), { newSteps: 1 })).toBe('');
    expect(problemOf(multiple, set(1_048_575), { newSteps: 2 })).toMatch(/^INPUT_STEPS/);
    expect(problemOf(network, set(0))).toBe('STATE_INVALID: state has 0 steps');
  });
});

describe('a state of neurons that fire several times a step', () => {
  const multiple = looped(fires, MULTIPLE);

  it('has at most 4095 spikes of each neuron and step', () => {
    const spikes = (count: number) => (view: DataView) => {
      view.setBigUint64(at.TOTAL_SPIKES_AT, BigInt(count), true);
    };
    expect(problemOf(multiple, spikes(4 * 2 * 4095))).toBe('');
    expect(problemOf(multiple, spikes(4 * 2 * 4095 + 1))).toMatch(/more spikes than its steps/);
    const counted = (count: number) => (view: DataView) => {
      spikes(4 * 2 * 4095)(view);
      view.setUint32(at.COUNTS_AT, count, true);
    };
    expect(problemOf(multiple, counted(4 * 4095))).toBe('');
    expect(problemOf(multiple, counted(4 * 4095 + 1))).toMatch(/a spike count above 16380/);
  });

  it('has whole outputs up to 4095', () => {
    const output = (value: number) => (view: DataView) => view.setFloat32(OUTPUTS_AT, value, true);
    expect([0, 4095].map((value) => problemOf(multiple, output(value)))).toEqual(['', '']);
    for (const bad of [4096, 1.5, -0]) expect(problemOf(multiple, output(bad))).toMatch(/that no step gives/);
  });
});

describe('a state of a node that passes the last output on', () => {
  it('has it twice, and alike', () => {
    const passing = looped(fires, '', { flat });
    expect(problemOf(passing)).toBe('');
    const potential = looped(node('LI', { tau: 2, r: 1, v_leak: 0 }), '', { flat });
    expect(problemOf(potential)).toBe('');
  });

  it('may have any last output of a node that neither fires nor integrates', () => {
    const scale = looped(node('Scale', { scale: 0.5 }));
    const end = at.COUNTS_AT + 16;
    expect(problemOf(scale, (view) => view.setFloat32(end, -7.25, true))).toBe('');
  });

  it('has the potential of an integrator as its last output, for each element', () => {
    const integrates = looped(node('LI', { tau: 2, r: 1, v_leak: 0 }));
    for (const k of [0, 1]) {
      expect(problemOf(integrates, (view) => view.setFloat32(OUTPUTS_AT + 4 * k, 99, true))).toMatch(/no step gives/);
    }
  });

  it('may have an output of one Threshold and no more', () => {
    const threshold = looped(node('Threshold', { threshold: 0 }));
    const outputAt = at.COUNTS_AT + 16;
    const totals = (spikes: bigint) => (view: DataView) => view.setBigUint64(at.TOTAL_SPIKES_AT, spikes, true);
    expect(problemOf(threshold)).toBe('');
    expect(problemOf(threshold, totals(1n))).toMatch(/more spikes than its steps/);
    expect(problemOf(threshold, (view) => view.setFloat32(outputAt, 2, true))).toMatch(/no step gives/);
  });
});

describe('a state of two nodes that feed back', () => {
  // input → a → b → output, b → a over a delayed edge, and a Flatten of b back to b.
  const graph = chain(2, 2, { a: node('LI', { tau: 2, r: 1, v_leak: 0 }), b: fires });
  const edges = [...graph.edges, ['b', 'a'], ['b', 'flat'], ['flat', 'b']] as const;
  const two = compileGraph({ ...graph, nodes: { ...graph.nodes, flat }, edges }, SERIES);
  const { parts, bytes } = stateLayout(two);

  it('may not differ where one passes on what the other puts out', () => {
    expect(problemOf(two)).toBe('');
    const outputs = parts.filter(({ output }) => output > 0);
    expect(outputs.length).toBeGreaterThan(0);
    const last = bytes - at.CHECKSUM_BYTES - 4;
    expect(problemOf(two, (view) => view.setFloat32(last, 3, true))).toMatch(/that no step gives/);
  });
});

describe('a state of a constant input', () => {
  const constant = compileGraph(chain(2, 2, { n: fires }), 'dt: 1\nsteps: 4');

  it('has the digest of its input', () => {
    expect(problemOf(constant)).toBe('');
    expect(problemOf(constant, (view) => view.setBigUint64(at.INPUT_DIGEST_AT, 5n, true))).toBe('');
  });

  it('of a readout that does not fire has no counts', () => {
    const silent = compileGraph(chain(2, 2, { n: fires, s: node('Scale', { scale: 1 }) }), SERIES);
    expect(problemOf(silent)).toBe('');
    expect(problemOf(silent, (view) => view.setUint32(at.COUNTS_AT, 1, true))).toMatch(/a spike count above 0/);
  });

  it('with the sums of a mean has finite ones', () => {
    const mean = compileGraph(chain(2, 2, { n: fires }), `${SERIES}\nreadout: {from: mean_potential}`);
    const sumAt = stateLayout(mean).bytes - at.CHECKSUM_BYTES - 4;
    expect(problemOf(mean, (view) => view.setFloat32(sumAt, 1e30, true))).toBe('');
    expect(problemOf(mean, (view) => view.setFloat32(sumAt, NaN, true))).toMatch(`not finite at byte ${sumAt}`);
  });
});

describe('bytes that are no state', () => {
  it.each([
    [51, 'has 51 bytes'],
    [52, 'does not begin with "TST1"'],
  ])('are refused at %d bytes', (bytes, message) => {
    expect(refuseState(new Uint8Array(bytes), 1, network, stateLayout(network))?.message).toContain(message);
  });

  it('are refused with the field they came in', () => {
    expect(refuseState(new Uint8Array(8), 1, network, stateLayout(network))).toMatchObject({
      kind: 'STATE_INVALID',
      metadata: { field: 'state' },
    });
  });
});
