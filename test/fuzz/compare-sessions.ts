// Runs random networks in pieces, each piece on another engine than the last one, and compares the end with the whole
// run, bit for bit (proto/NUMERICS.md, "Session state").
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RouterError } from '../../services/core/errors.ts';
import type { Inference, InferenceInput } from '../../services/core/inference.ts';
import type { Engine, EngineModel } from '../../services/engines/engine.ts';
import { LocalEngine } from '../../services/engines/local/local-engine.ts';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { writeNir } from '../support/nir-writer.ts';
import { startSidecar } from '../support/sidecar.ts';
import { writeModel } from './compare.ts';
import type { FuzzCase } from './generate.ts';
import { Random } from './random.ts';
import { inputValues, pickTemper } from './random-values.ts';

/** The best level of the machine. */
export const BEST = 'best';
/** What the sidecars of a machine may run on: sidecar-cpp/README.md. */
export const SIMD_LEVELS = ['scalar', 'ssse3', 'sse4', 'avx2', 'avx512', 'neon'] as const;
/** An engine may be slow here, for example on an emulated CPU, and must not count as lost. */
const STALL_TIMEOUT_MS = 60_000;
/** Sessions at the same time: batches form in the sidecars. */
const LANES = 16;
/** Runs of a constant input in one session. */
const MOST_REPEATS = 6;
const WHOLE = 'whole';

interface SessionTally {
  /** Sessions that ended without an error, and sessions that failed equally as a whole and in pieces. */
  compared: number;
  failed: number;
  pieces: number;
  engines: number;
  stateBytes: number;
  readonly differences: string[];
}

export interface SessionPlan {
  /** Steps of a series. */
  readonly steps: (random: Random) => number;
  /** Steps of its next piece, at most `left`. */
  readonly piece: (random: Random, left: number) => number;
}

/** The bar of issue 16: a series that moves at every step. */
export const EVERY_STEP: SessionPlan = { steps: () => 256, piece: () => 1 };
export const RANDOM_PIECES: SessionPlan = {
  steps: (random) => (random.chance(0.1) ? random.integer(50, 200) : random.integer(2, 30)),
  piece: (random, left) => random.integer(1, Math.min(left, random.pick([1, 3, 10, 200]))),
};

export function emptySessionTally(): SessionTally {
  return { compared: 0, failed: 0, pieces: 0, engines: 0, stateBytes: 0, differences: [] };
}

/** One session for each case, on the local engine and a sidecar for each instruction set of the machine. */
export async function compareSessions(
  cases: readonly FuzzCase[],
  plan: SessionPlan,
  levels: readonly string[],
  tally: SessionTally,
): Promise<void> {
  const modelsDir = mkdtempSync(join(tmpdir(), 'tandem-sessions-'));
  try {
    for (const fuzzCase of cases) {
      const nir = writeNir(fuzzCase.graph);
      writeModel(modelsDir, fuzzCase, '', nir);
      writeModel(modelsDir, repeated(fuzzCase), WHOLE, nir);
    }
    await withMovers(modelsDir, levels, async (engines) => {
      tally.engines = engines.length;
      const waiting = [...cases];
      const lane = async (): Promise<void> => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
          await compareCase(next, plan, engines, tally);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    });
  } finally {
    rmSync(modelsDir, { recursive: true, force: true });
  }
}

/** Runs `use` with the local engine and the sidecars, and stops them. A level that the machine lacks is left out. */
export async function withMovers(
  modelsDir: string,
  levels: readonly string[],
  use: (engines: readonly Engine[]) => Promise<void>,
): Promise<void> {
  const started = await Promise.allSettled(
    levels.map((level) => startSidecar(modelsDir, { args: level === BEST ? [] : ['--simd', level] })),
  );
  const processes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const engines = [
    new LocalEngine({ id: 'local', modelsDir, workers: 1 }),
    ...processes.map(({ address }, n) => new SidecarEngine(`sidecar-${n}`, address, STALL_TIMEOUT_MS)),
  ];
  try {
    await Promise.all(engines.map((engine) => engine.start()));
    await use(engines);
  } finally {
    await Promise.all(engines.map((engine) => engine.stop()));
    await Promise.all(processes.map((process) => process.stop()));
  }
}

/** The same model with a run of a constant input as long as a whole session: its identity does not depend on `steps`. */
function repeated(fuzzCase: FuzzCase): FuzzCase {
  const manifest = fuzzCase.manifest.replace(/^steps: (\d+)$/m, (_, steps) => {
    return `steps: ${Number(steps) * repeatsOf(fuzzCase.seed)}`;
  });
  return { ...fuzzCase, manifest };
}

function repeatsOf(seed: number): number {
  return new Random(seed).integer(2, MOST_REPEATS);
}

async function compareCase(
  { seed, manifest }: FuzzCase,
  plan: SessionPlan,
  engines: readonly Engine[],
  tally: SessionTally,
): Promise<void> {
  const model = engines[0]!.description!.models.find(({ name }) => name === `m${seed}`)!;
  if (model.error !== '') return;
  const random = new Random(seed);
  const isSeries = manifest.includes('kind: series');
  const session = isSeries ? seriesSession(model, plan, random) : constantSession(model, seed, random);
  const name = isSeries ? model.name : `${model.name}${WHOLE}`;
  const want = await outcomeOf(random.pick(engines), { ...session.whole, model: name });
  const { outcome: got, before } = await runPieces(engines, random, model.name, session.pieces, tally);
  const [a, b] = [textOf(want, 0), textOf(got, before)];
  // An overflowing sum is detected at the end of a run. So in pieces it is detected earlier than in the whole run, in
  // which a node may fail first.
  const mayFailEarlier = manifest.includes('mean_potential') && [a, b].every((text) => text.startsWith('NON_FINITE'));
  if (a !== b && !mayFailEarlier) tally.differences.push(`seed ${seed}: whole: ${a}\n  in pieces: ${b}`);
  else if (want instanceof RouterError) tally.failed += 1;
  else tally.compared += 1;
}

/** Each piece on another engine than the one before. `before`: steps before the piece that came last. */
export async function runPieces(
  engines: readonly Engine[],
  random: Random,
  model: string,
  pieces: readonly Piece[],
  tally: SessionTally,
): Promise<{ outcome: Inference | RouterError; before: number }> {
  let [before, steps] = [0, 0];
  let state: Uint8Array | undefined;
  let outcome: Inference | RouterError | undefined;
  let last: Engine | undefined;
  for (const piece of pieces) {
    last = random.pick(engines.filter((one) => one !== last));
    before = steps;
    outcome = await outcomeOf(last, { ...piece, model, state, returnState: true });
    tally.pieces += 1;
    if (outcome instanceof RouterError) break;
    ({ state, steps } = outcome);
    tally.stateBytes = Math.max(tally.stateBytes, state!.length);
  }
  return { outcome: outcome!, before };
}

type Piece = Pick<InferenceInput, 'version' | 'shape' | 'data'>;

interface Session {
  readonly whole: Piece;
  readonly pieces: readonly Piece[];
}

function seriesSession({ inputSize }: EngineModel, plan: SessionPlan, random: Random): Session {
  const values = inputValues(random, plan.steps(random) * inputSize, pickTemper(random));
  return cut(values, inputSize, plan, random);
}

/** A series in pieces. `values`: all of its steps. */
export function cut(
  values: Float32Array,
  inputSize: number,
  plan: Pick<SessionPlan, 'piece'>,
  random: Random,
): Session {
  const steps = values.length / inputSize;
  const part = (from: number, length: number): Piece => ({
    version: 1,
    shape: [length, inputSize],
    data: new Uint8Array(values.buffer, values.byteOffset + 4 * from * inputSize, 4 * length * inputSize),
  });
  const pieces: Piece[] = [];
  for (let from = 0; from < steps; from += pieces.at(-1)!.shape[0]!) {
    pieces.push(part(from, plan.piece(random, steps - from)));
  }
  return { whole: part(0, steps), pieces };
}

function constantSession({ inputSize }: EngineModel, seed: number, random: Random): Session {
  const data = new Uint8Array(inputValues(random, inputSize, pickTemper(random)).buffer);
  const whole = { version: 1, shape: [inputSize], data };
  return { whole, pieces: Array<Piece>(repeatsOf(seed)).fill(whole) };
}

export async function outcomeOf(engine: Engine, input: InferenceInput): Promise<Inference | RouterError> {
  try {
    return await engine.infer(input, { deadlineMs: Infinity, signal: new AbortController().signal });
  } catch (error) {
    return RouterError.from(error);
  }
}

/** Everything that must be the same. `before`: steps of the session before the failed piece. */
export function textOf(outcome: Inference | RouterError, before: number): string {
  if (outcome instanceof RouterError) {
    const { kind, message, metadata } = outcome;
    if (kind !== 'NON_FINITE') return `${kind}: ${message}`;
    return `${kind} of ${metadata['node']} at step ${before + Number(metadata['step'])}`;
  }
  const { steps, stateDigest, readoutDigest, spikeCounts, potentials, totalSpikes, synapticOperations } = outcome;
  return (
    `${steps} steps, digests ${stateDigest.toString(16)} ${readoutDigest.toString(16)}, counts ${spikeCounts.join(' ')}, ` +
    `potentials ${Buffer.from(potentials).toString('hex')}, totals ${totalSpikes} ${synapticOperations}`
  );
}
