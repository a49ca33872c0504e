// What each framework means with the NIR files that it exports: what a model.yaml must say so that the served network
// fires as the framework's own. Read from the frameworks' sources, and checked against their runs (test/conformance).
import type { NeuronSettings } from '../config/manifest.ts';

/** The settings that a framework decides. */
type Convention = 'dt' | keyof NeuronSettings;

export interface Decision {
  readonly key: Convention;
  /** The one node that it is about; without it, the whole model. */
  readonly node?: string;
  readonly value: string | number;
  readonly why: string;
}

/** What a decision may depend on: the types of the file's nodes and their parameters, in no order. */
interface ImportedNode {
  readonly name: string;
  readonly type: string;
  readonly parameters: ReadonlyMap<string, { readonly values: Float64Array }>;
}

export interface Framework {
  /** How people write it. */
  readonly title: string;
  decide(nodes: readonly ImportedNode[]): readonly Decision[];
  /** Other values that the file does not tell apart, the likelier first; a recording decides, for the model or for single nodes. */
  readonly alternatives: readonly (readonly Decision[])[];
  /** What a user must know, such as what the exporter leaves out. */
  remarks(nodes: readonly ImportedNode[]): readonly string[];
}

const SNNTORCH_DT = 1e-4;
const NORSE_DT = 1e-6;

const snntorch: Framework = {
  title: 'snnTorch',
  decide: () => [
    { key: 'dt', value: SNNTORCH_DT, why: 'its exporter always computes with dt = 1e-4' },
    { key: 'reset', value: 'subtract_delayed', why: 'by default a spike resets in the next step (reset_delay=True)' },
  ],
  alternatives: [
    [
      { key: 'reset', value: 'value', why: 'reset_mechanism="zero" of Leaky' },
      { key: 'reset', value: 'value_delayed', why: 'reset_mechanism="zero" of Synaptic, RLeaky and RSynaptic' },
      { key: 'reset', value: 'subtract', why: 'reset_delay=False' },
      { key: 'reset', value: 'none', why: 'reset_mechanism="none"' },
    ],
  ],
  remarks: () => [
    'the file does not say reset_mechanism and reset_delay: with a recording (--check) they are found for each layer; without one, write those of layers that differ under nodes in model.yaml',
  ],
};

const norse: Framework = {
  title: 'Norse',
  decide: () => [
    {
      key: 'dt',
      value: NORSE_DT,
      why: 'its exporter multiplies time constants by its dt (0.001); so dt is 0.001 · 0.001',
    },
    { key: 'reset', value: 'value', why: 'its neurons go to v_reset' },
    { key: 'if_gain', value: 'unit', why: 'IAF adds its input as it is' },
    { key: 'synapse_gain', value: 'unit', why: 'LIF adds its input to the current as it is; the file has no w_in' },
    { key: 'v_start', value: 'leak', why: 'its potentials start at v_leak' },
  ],
  alternatives: [],
  remarks: () => [
    'with another dt than 0.001 in Norse, give --dt with the square of yours',
    'its exporter leaves out v_reset; where it is not 0, neurons cannot fire alike',
  ],
};

const leakAlone: Decision = {
  key: 'lif_gain',
  value: 'unit',
  why: 'by default (norm_input=False), ExpLeak does not scale its input',
};

const sinabs: Framework = {
  title: 'sinabs',
  decide: (nodes) => [
    { key: 'dt', value: 1, why: 'its time constants are in steps' },
    { key: 'decay', value: 'exponential', why: 'LIF and ExpLeak decay by exp(-1/tau)' },
    { key: 'if_gain', value: 'unit', why: 'IAF adds its input as it is' },
    has(nodes, 'LIF')
      ? { key: 'lif_gain', value: 'dt', why: 'LIF scales its input by default (norm_input=True)' }
      : leakAlone,
    { key: 'fire_at', value: 'reached', why: 'it fires at the threshold' },
    { key: 'spikes_per_step', value: 'multiple', why: 'by default it puts out several spikes a step (MultiSpike)' },
    { key: 'reset', value: 'subtract', why: 'by default it subtracts the threshold (MembraneSubtract)' },
    ...(has(nodes, 'LIF') ? nodesOf(nodes, 'LI', leakAlone) : []),
  ],
  alternatives: [
    [{ key: 'spikes_per_step', value: 'single', why: 'spike_fn=SingleSpike' }],
    [{ key: 'reset', value: 'value', why: 'reset_fn=MembraneReset' }],
    [
      { key: 'lif_gain', value: 'unit', why: 'norm_input=False' },
      { key: 'lif_gain', value: 'dt', why: 'norm_input=True' },
    ],
    [{ key: 'v_min', value: -1, why: 'min_v_mem=-1, as from_model sets it' }],
  ],
  remarks: () => [
    'its exporter leaves out tau_syn and recurrent connections; such layers cannot fire alike',
    'its exporter leaves out min_v_mem: write it as v_min in model.yaml, or give a recording (--check), which finds the -1 of from_model',
  ],
};

const earlyReset: Decision = { key: 'reset', value: 'subtract', why: 'CuBaLIF resets before the update' };
const lateReset: Decision = {
  key: 'reset',
  value: 'subtract_delayed',
  why: 'its neurons reset after the update of the next step',
};

const spyx: Framework = {
  title: 'Spyx',
  decide: (nodes) => [
    { key: 'dt', value: 1, why: 'its exporter computes with dt = 1 by default' },
    ...(has(nodes, 'LIF') || has(nodes, 'IF') || !has(nodes, 'CubaLIF')
      ? [lateReset, ...nodesOf(nodes, 'CubaLIF', earlyReset)]
      : [earlyReset]),
    { key: 'emit', value: 'next_step', why: 'a spike is put out in the next step' },
    { key: 'if_gain', value: 'unit', why: 'IF adds its input as it is' },
    { key: 'lif_gain', value: 'unit', why: 'LIF adds its input unscaled; its exporter writes beta, the decay, as r' },
    { key: 'synapse_gain', value: 'unit', why: 'CuBaLIF adds its input as it is' },
  ],
  alternatives: [],
  remarks: (nodes) => [
    'its exporter leads the input of a recurrent layer through the recurrent weights; such layers cannot fire alike',
    'its exporter leaves out LI and ALIF layers',
    ...(has(nodes, 'Flatten')
      ? ['its exporter leaves the weights behind a Flatten in the order of channels last; reorder their columns']
      : []),
  ],
};

const spikingjelly: Framework = {
  title: 'SpikingJelly',
  decide: (nodes) => {
    const dt = nodes.map(spikingjellyDt).find((value) => value !== undefined);
    return [
      dt === undefined
        ? { key: 'dt', value: 1e-4, why: 'its exporter computes with dt = 1e-4 by default' }
        : { key: 'dt', value: dt, why: 'from the r of a neuron: its exporter writes 1/dt, or tau/dt' },
      { key: 'reset', value: 'value', why: 'its exporter refuses soft resets' },
      { key: 'fire_at', value: 'reached', why: 'it fires at the threshold' },
      { key: 'v_start', value: 'reset', why: 'its potentials start at v_reset' },
    ];
  },
  alternatives: [
    [
      { key: 'dt', value: 1e-3, why: 'export_to_nir(…, dt=1e-3)' },
      { key: 'dt', value: 1, why: 'export_to_nir(…, dt=1)' },
    ],
  ],
  remarks: () => ['with another dt than 1e-4 in export_to_nir, give it with --dt, unless the file tells it'],
};

const rockpool: Framework = {
  title: 'Rockpool',
  decide: (nodes) => {
    const dt = rockpoolDt(nodes);
    return [
      dt === undefined
        ? { key: 'dt', value: 1e-3, why: 'its default' }
        : { key: 'dt', value: dt, why: 'from the r of a neuron, which is tau · exp(-dt/tau) / dt' },
      { key: 'decay', value: 'exponential', why: 'its states decay by exp(-dt/tau)' },
      nodes.some(({ type }) => type === 'LI')
        ? { key: 'lif_gain', value: 'decayed', why: 'ExpSyn decays together with its input' }
        : { key: 'lif_gain', value: 'unit', why: 'its membranes add their input unscaled' },
      { key: 'synapse_gain', value: 'decayed', why: 'its currents decay together with their input' },
      { key: 'fire_at', value: 'reached', why: 'it fires at the threshold' },
      { key: 'spikes_per_step', value: 'multiple', why: 'it puts out several spikes a step' },
      { key: 'reset', value: 'subtract', why: 'it subtracts the threshold' },
    ];
  },
  alternatives: [],
  remarks: () => ['its exporter leaves out biases and recurrent weights of LIF layers; such layers cannot fire alike'],
};

const lava: Framework = {
  title: 'Lava',
  decide: () => [
    { key: 'dt', value: 1e-4, why: 'as the conversion published with the NIR paper' },
    { key: 'reset', value: 'value', why: 'its LIF goes to 0' },
  ],
  alternatives: [[{ key: 'reset', value: 'subtract', why: 'a soft reset' }]],
  remarks: () => ['Lava itself exports no NIR, and could not be run for a comparison; give a recording with --check'],
};

export const FRAMEWORKS: Readonly<Record<string, Framework>> = {
  snntorch,
  norse,
  sinabs,
  spyx,
  spikingjelly,
  lava,
  rockpool,
};

function has(nodes: readonly ImportedNode[], wanted: string): boolean {
  return nodes.some(({ type }) => type === wanted);
}

function nodesOf(nodes: readonly ImportedNode[], wanted: string, decision: Decision): Decision[] {
  return nodes.filter(({ type }) => type === wanted).map(({ name }) => ({ ...decision, node: name }));
}

/** Undefined where the node does not tell it. */
function spikingjellyDt({ type, parameters }: ImportedNode): number | undefined {
  const first = (name: string): number => parameters.get(name)?.values[0] ?? NaN;
  const r = first('r');
  const dt = { IF: 1 / r, CubaLIF: first('tau_mem') / r, LIF: r === 1 ? NaN : first('tau') / r }[type] ?? NaN;
  return dt > 0 && Number.isFinite(dt) ? rounded(dt) : undefined;
}

/** Solves r = exp(-q)/q for q = dt/tau. */
function rockpoolDt(nodes: readonly ImportedNode[]): number | undefined {
  const neuron = nodes.find(({ type }) => type === 'CubaLIF' || type === 'LIF' || type === 'LI');
  const tau = (neuron?.parameters.get('tau_mem') ?? neuron?.parameters.get('tau'))?.values[0];
  const r = neuron?.parameters.get('r')?.values[0];
  if (tau === undefined || r === undefined || !(r > 0)) return undefined;
  // exp(-q) − r·q falls from 1, so that bisection finds its one zero.
  let [low, high] = [0, 1 / r];
  for (let n = 0; n < 100; n += 1) {
    const q = (low + high) / 2;
    if (Math.exp(-q) > r * q) low = q;
    else high = q;
  }
  return rounded(low * tau);
}

/** Without the last digits of binary32 arithmetic. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
