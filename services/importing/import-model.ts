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

export function importModel(file: Uint8Array, { framework, dt, recording }: ImportOptions): ImportedModel {
  const graph = flatten(readNir(file).graph);
  const given: Decision[] = dt === undefined ? [] : [{ key: 'dt', value: dt, why: 'as given' }];
  const base = replaced(framework.decide(graph.nodes), given);
  const open = framework.alternatives.filter((values) =>
    values.every(({ key }) => !given.some((one) => one.key === key)),
  );
  const first = attempt(file, base);
  const recorded = recording === undefined ? undefined : readRecording(recording, first.network.inputSize);
  let best: Attempt = first;
  if (recorded !== undefined) {
    for (const decisions of candidates(base, open)) {
      const candidate = attempt(file, decisions);
      const comparison = compareWithRecording(candidate.network, recorded);
      const isBetter = best.comparison === undefined || comparison.equalSteps > best.comparison.equalSteps;
      if (isBetter) best = { ...candidate, comparison };
      if (isAlike(comparison)) break;
    }
  }
  return {
    manifest: best.manifest,
    decisions: [...best.decisions.map(({ key, value, why }) => ({ key, value: String(value), why })), ...rest(best)],
    remarks: framework.remarks(graph.nodes),
    network: best.network,
    comparison: best.comparison,
  };
}

export function isAlike({ difference, failed }: Comparison): boolean {
  return difference === undefined && failed === undefined;
}

/** The framework's default settings first, then every combination with its alternatives. */
function candidates(base: readonly Decision[], alternatives: Framework['alternatives']): Decision[][] {
  return alternatives.reduce<Decision[][]>(
    (all, values) => [...all, ...values.flatMap((value) => all.map((decisions) => replaced(decisions, [value])))],
    [[...base]],
  );
}

function replaced(decisions: readonly Decision[], by: readonly Decision[]): Decision[] {
  return decisions.map((decision) => by.find(({ key }) => key === decision.key) ?? decision);
}

function attempt(file: Uint8Array, decisions: readonly Decision[]): Attempt {
  const settings = Object.fromEntries(decisions.map(({ key, value }) => [key, value]));
  const network = compileNetwork(file, parseManifest(stringify({ ...settings, input: { kind: 'series' } })));
  const input = { shape: [...network.inputShape], kind: 'series' };
  const manifest = { ...settings, input, readout: { from: fires(network) ? 'spike_count' : 'last_potential' } };
  return {
    decisions,
    manifest: stringify(manifest),
    network: compileNetwork(file, parseManifest(stringify(manifest))),
  };
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
