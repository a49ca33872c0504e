// One network: every subject is started, checked against our spike counts, and measured in rounds that interleave.
import { join } from 'node:path';
import { type Agreement, agreementOf, checkAgreement } from './agreement.ts';
import { type BenchNetwork, peerArguments, PYTHON } from './networks.ts';
import { startSubject, type Subject } from './subject.ts';

const OURS = join(import.meta.dirname, '../../../sidecar-cpp/build/release/tandem-simulator-subject');
const TYPESCRIPT = join(import.meta.dirname, 'typescript-subject.ts');

export const BATCHES = [1, 8, 64] as const;
export type Batch = (typeof BATCHES)[number];

/** Names of test/load/peers/subject.py. */
export const PEERS = [
  ...['jax', 'jax-by-layer', 'torch-compile', 'torch-compile-by-layer', 'spikingjelly', 'snntorch', 'norse'],
] as const;
const FIRST_LAYER = 'torch-first-layer';

export interface SubjectFigures {
  readonly name: string;
  readonly kind: 'cpp' | 'typescript' | 'peer' | 'first-layer';
  readonly version: string;
  /** Microseconds per input, medians of the rounds; undefined if it did not start. */
  readonly us: Readonly<Record<Batch, number>> | undefined;
  readonly agreement: Agreement | undefined;
  /** The reason why it did not start. */
  readonly failure: string | undefined;
}

interface MeasureOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly progress: (text: string) => void;
}

type Started = { readonly kind: SubjectFigures['kind']; readonly name: string } & (
  { readonly subject: Subject } | { readonly failure: string }
);

export async function measureNetwork(network: BenchNetwork, options: MeasureOptions): Promise<SubjectFigures[]> {
  const started: Started[] = [];
  const start = async (kind: SubjectFigures['kind'], name: string, command: string, args: string[]): Promise<void> => {
    options.progress(`${network.name}: starting ${name}`);
    try {
      started.push({ kind, name, subject: await startSubject(name, command, args) });
    } catch (error) {
      started.push({ kind, name, failure: error instanceof Error ? error.message : String(error) });
    }
  };
  try {
    await startOurs(network, started, start);
    for (const peer of PEERS) await start('peer', peer, PYTHON, peerArguments(peer, network));
    await start('first-layer', FIRST_LAYER, PYTHON, peerArguments(FIRST_LAYER, network));
    return await measureInTurns(started, network, options);
  } finally {
    for (const one of started) if ('subject' in one) one.subject.stop();
  }
}

async function startOurs(
  network: BenchNetwork,
  started: Started[],
  start: (kind: SubjectFigures['kind'], name: string, command: string, args: string[]) => Promise<void>,
): Promise<void> {
  const args = ['--model', join(network.repository, network.model), '--inputs', network.inputs];
  await start('cpp', 'C++', OURS, args);
  const [best] = started;
  if (best !== undefined && 'subject' in best) {
    for (const target of best.subject.targets.slice(1)) {
      await start('cpp', `C++ --simd ${target}`, OURS, [...args, '--simd', target]);
    }
  }
  const steps = network.isSeries ? [String(network.steps)] : [];
  const item = [network.repository, network.model, network.inputs, network.shape.join(','), ...steps];
  await start('typescript', 'TypeScript', process.execPath, [TYPESCRIPT, ...item]);
}

async function measureInTurns(
  started: readonly Started[],
  network: BenchNetwork,
  { rounds, seconds, progress }: MeasureOptions,
): Promise<SubjectFigures[]> {
  const ours = started.find((one) => 'subject' in one && one.kind !== 'first-layer');
  const expected = ours !== undefined && 'subject' in ours ? ours.subject.counts : [];
  const samples: Record<Batch, number[]>[] = started.map(() => ({ 1: [], 8: [], 64: [] }));
  const agreements = started.map((one) => ('subject' in one ? agreementOf(expected, one.subject.counts) : undefined));
  for (const [k, agreement] of agreements.entries()) {
    if (agreement !== undefined) checkAgreement(started[k]!.name, agreement);
  }
  for (let round = 1; round <= rounds; round += 1) {
    progress(`${network.name}: round ${round} of ${rounds}`);
    for (const batch of BATCHES) {
      for (const [k, one] of started.entries()) {
        if ('subject' in one) samples[k]![batch].push(await one.subject.measure(batch, seconds));
      }
    }
  }
  return started.map((one, k) => ({
    name: one.name,
    kind: one.kind,
    version: 'subject' in one ? one.subject.version : '',
    us:
      'subject' in one
        ? { 1: median(samples[k]![1]), 8: median(samples[k]![8]), 64: median(samples[k]![64]) }
        : undefined,
    agreement: agreements[k],
    failure: 'failure' in one ? one.failure : undefined,
  }));
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;
