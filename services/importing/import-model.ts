// Makes the model.yaml for a file that a framework exported: chooses the settings, gives the reasons, and compares the
// served network with the framework's own run.
import { stringify } from 'yaml';
import { parseManifest } from '../config/manifest.ts';
import { compileNetwork } from '../engines/local/compile.ts';
import { flatten } from '../engines/local/flatten.ts';
import type { Network } from '../engines/local/network.ts';
import { readNir } from '../engines/local/nir-reader.ts';
import { isSpiking } from '../engines/local/node-types.ts';
import type { Decision, Framework } from '../models/frameworks.ts';
import type { Comparison } from './compare.ts';
import { compareWithRecording } from './compare.ts';
import { readRecording } from './recording.ts';

export interface ImportedModel {
  readonly manifest: string;
  /** All keys of the manifest, with the reason for each. */
  readonly decisions: readonly { readonly key: string; readonly value: string; readonly why: string }[];
  readonly remarks: readonly string[];
  readonly network: Network;
  /** Set if a recording was given. */
  readonly comparison: Comparison | undefined;
}

interface ImportOptions {
  readonly framework: Framework;
  /** Seconds per step, if it is not the exporter's default. */
  readonly dt?: number;
  readonly recording?: Uint8Array;
}

interface Attempt {
  readonly decisions: readonly Decision[];
  readonly manifest: string;
  readonly network: Network;
  readonly comparison?: Comparison;
}

type Compared = Attempt & { readonly comparison: Comparison };

type Alternatives = Framework['alternatives'];

export function importModel(file: Uint8Array, { framework, dt, recording }: ImportOptions): ImportedModel {
  const graph = flatten(readNir(file).graph);
  const given: Decision[] = dt === undefined ? [] : [{ key: 'dt', value: dt, why: 'as given' }];
  const base = replaced(framework.decide(graph.nodes), given);
  const open = framework.alternatives.filter((values) =>
    values.every(({ key }) => !given.some((one) => one.key === key)),
  );
  const first = attempt(file, base);
  const best = recording === undefined ? first : fitToRecording(file, first, open, recording);
  return {
    manifest: best.manifest,
    decisions: [
      ...best.decisions.map(({ value, why, ...of }) => ({ key: pathOf(of), value: String(value), why })),
      ...rest(best),
    ],
    remarks: framework.remarks(graph.nodes),
    network: best.network,
    comparison: best.comparison,
  };
}

export function isAlike({ difference, failed }: Comparison): boolean {
  return difference === undefined && failed === undefined;
}

function pathOf({ key, node }: Pick<Decision, 'key' | 'node'>): string {
  return node === undefined ? key : `nodes.${node}.${key}`;
}

/** The first settings under which the network does as recorded, or else those of the whole model that do so for the most steps. */
function fitToRecording(file: Uint8Array, first: Attempt, open: Alternatives, recording: Uint8Array): Compared {
  const recorded = readRecording(recording, first.network.inputSize);
  const compare = (made: Attempt): Compared => ({ ...made, comparison: compareWithRecording(made.network, recorded) });
  let best = compare(first);
  for (const decisions of candidates(first.decisions, open)) {
    if (isAlike(best.comparison)) return best;
    best = better(best, compare(attempt(file, decisions)));
  }
  if (isAlike(best.comparison)) return best;
  const isOpen = ({ key }: Decision): boolean => key !== 'dt' && open.flat().some((one) => one.key === key);
  const settings = [...first.decisions.filter(({ node }) => node === undefined), ...open.flat()].filter(isOpen);
  const ofNodes = fitNodes(best, settings, (decisions) => compare(attempt(file, decisions)));
  return isAlike(ofNodes.comparison) ? ofNodes : best;
}

/** One of the settings for one node at a time: each time the one with which the most steps are as recorded. */
function fitNodes(
  from: Compared,
  settings: readonly Decision[],
  compare: (decisions: readonly Decision[]) => Compared,
): Compared {
  const neurons = from.network.nodes.filter(({ rule }) => rule !== undefined);
  const changes = neurons.flatMap(({ name }) => settings.map((one): Decision => ({ ...one, node: name })));
  for (let best = from; ;) {
    let next = best;
    for (const change of changes) {
      next = better(next, compare(replaced(best.decisions, [change])));
      if (isAlike(next.comparison)) return next;
    }
    if (next === best) return best;
    best = next;
  }
}

function better(one: Compared, other: Compared): Compared {
  const isBetter = isAlike(other.comparison) || other.comparison.equalSteps > one.comparison.equalSteps;
  return isBetter ? other : one;
}

/** Every combination of the framework's own decisions with its alternatives, but for its own decisions alone. */
function candidates(base: readonly Decision[], alternatives: Alternatives): Decision[][] {
  const all = alternatives.reduce<Decision[][]>(
    (some, values) => [...some, ...values.flatMap((value) => some.map((decisions) => replaced(decisions, [value])))],
    [[...base]],
  );
  return all.slice(1);
}

/** With what `by` decides in the place of what is decided on the same setting, or behind it all. */
function replaced(decisions: readonly Decision[], by: readonly Decision[]): Decision[] {
  const isSame = (one: Decision, other: Decision): boolean => one.key === other.key && one.node === other.node;
  const kept = decisions.map((decision) => by.find((one) => isSame(one, decision)) ?? decision);
  return [...kept, ...by.filter((one) => !decisions.some((decision) => isSame(one, decision)))];
}

function attempt(file: Uint8Array, decisions: readonly Decision[]): Attempt {
  const settings = settingsOf(decisions);
  const network = compileNetwork(file, parseManifest(stringify({ ...settings, input: { kind: 'series' } })));
  const input = { shape: [...network.inputShape], kind: 'series' };
  const manifest = { ...settings, input, readout: { from: fires(network) ? 'spike_count' : 'last_potential' } };
  return {
    decisions,
    manifest: stringify(manifest),
    network: compileNetwork(file, parseManifest(stringify(manifest))),
  };
}

/** As model.yaml has them. */
function settingsOf(decisions: readonly Decision[]): Record<string, unknown> {
  const byNode = Map.groupBy(decisions, ({ node }) => node);
  const values = (some: readonly Decision[] = []) => Object.fromEntries(some.map(({ key, value }) => [key, value]));
  const nodes = [...byNode].flatMap(([node, some]) => (node === undefined ? [] : [[node, values(some)] as const]));
  return { ...values(byNode.get(undefined)), ...(nodes.length === 0 ? {} : { nodes: Object.fromEntries(nodes) }) };
}

function fires(network: Network): boolean {
  return isSpiking(network.nodes[network.readout]!.type);
}

/** The keys that do not depend on the framework. */
function rest({ network }: Attempt): ImportedModel['decisions'] {
  const { name, type } = network.nodes[network.readout]!;
  const readout = fires(network)
    ? { value: 'spike_count', why: `node "${name}" is ${type}, which fires` }
    : {
        value: 'last_potential',
        why: `node "${name}" is ${type}, which does not fire; mean_potential and max_potential are other choices`,
      };
  return [
    { key: 'input.kind', value: 'series', why: 'frameworks step through a time series' },
    { key: 'readout.from', ...readout },
  ];
}
