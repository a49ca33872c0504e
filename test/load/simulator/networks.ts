// The networks of the simulator's benchmark, each with the same inputs for all subjects.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readHeldout } from '../../support/heldout.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PEERS = join(import.meta.dirname, '../peers');
// The path from scripts/setup --for bench.
export const PYTHON = join(homedir(), '.cache/tandem-bench/venv/bin/python');

export interface BenchNetwork {
  readonly name: NetworkName;
  readonly title: string;
  /** A model repository and its model. */
  readonly repository: string;
  readonly model: string;
  /** File of 64 inputs, little-endian float32. */
  readonly inputs: string;
  readonly shape: readonly number[];
  readonly steps: number;
  readonly dt: number;
  readonly isSeries: boolean;
}

export type NetworkName = 'supersense' | 'deep' | 'events';

export const NETWORK_TITLES: Record<NetworkName, string> = {
  supersense: 'supersense (shipped)',
  deep: '768-512-512-48, 32 steps, 8 % active',
  events: 'two convolutions on 2x34x34 events, 16 steps',
};

const ITEMS = 64;

/** Writes files that are not shipped into `folder`. */
export function makeNetworks(folder: string): Record<NetworkName, BenchNetwork> {
  execFileSync(PYTHON, [join(PEERS, 'make_networks.py'), folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  const inputs = join(folder, 'supersense.f32');
  writeFileSync(
    inputs,
    Buffer.concat(
      readHeldout()
        .slice(0, ITEMS)
        .map(({ data }) => data),
    ),
  );
  return {
    supersense: network('supersense', join(ROOT, 'deploy/models'), inputs),
    deep: network('deep', folder, join(folder, 'deep/inputs.f32')),
    events: network('events', folder, join(folder, 'events/inputs.f32')),
  };
}

function network(name: NetworkName, repository: string, inputs: string): BenchNetwork {
  const { dt, steps, input } = parse(readFileSync(join(repository, name, 'model.yaml'), 'utf8')) as {
    dt: number;
    steps: number;
    input: { shape: number[]; kind: string };
  };
  const isSeries = input.kind === 'series';
  return {
    name,
    title: NETWORK_TITLES[name],
    repository,
    model: name,
    inputs,
    shape: input.shape,
    steps,
    dt,
    isSeries,
  };
}

export const peerArguments = (peer: string, network: BenchNetwork): string[] => [
  join(PEERS, 'subject.py'),
  peer,
  ...['--nir', join(network.repository, network.model, '1/model.nir'), '--inputs', network.inputs],
  ...['--shape', network.shape.join(','), '--steps', String(network.steps), '--dt', String(network.dt)],
  ...(network.isSeries ? ['--series'] : []),
];
