// Runs fuzz cases on both engines, the local one and a real sidecar, and compares the answers, bit for bit.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RouterError } from '../../services/core/errors.ts';
import type { Inference, InferenceInput, LayerActivity } from '../../services/core/inference.ts';
import type { Engine, EngineModel } from '../../services/engines/engine.ts';
import { LocalEngine } from '../../services/engines/local/local-engine.ts';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { writeNir } from '../support/nir-writer.ts';
import { type SidecarOptions, startSidecar } from '../support/sidecar.ts';
import { recordingText } from './compare-recordings.ts';
import type { FuzzCase } from './generate.ts';

/** The requested details, in turn. */
const DETAILS = ['SUMMARY', 'LAYERS', 'RASTER'] as const;

/** Inputs sent and not yet answered. */
const IN_FLIGHT = 64;

/** An engine may be slow here, for example on an emulated CPU, and must not count as lost. */
const STALL_TIMEOUT_MS = 60_000;

/** Memory for the recordings of all open inputs. */
const RECORDER_BYTES = 256 * 1_048_576;
const RECORDER = ['--recorder-bytes', String(RECORDER_BYTES)];

export interface Difference {
  readonly fuzzCase: FuzzCase;
  /** Which of the case's inputs; -1: the engines disagree about the model itself. */
  readonly input: number;
  readonly local: string;
  readonly sidecar: string;
}

export interface Tally {
  pairs: number;
  /** Pairs with runs that failed equally on both engines. */
  failed: number;
  /** Models that both engines refuse. */
  refused: number;
  readonly differences: Difference[];
}

export async function compareCases(
  cases: readonly FuzzCase[],
  tally: Tally,
  sidecarOptions: SidecarOptions = {},
): Promise<void> {
  const modelsDir = mkdtempSync(join(tmpdir(), 'tandem-fuzz-'));
  try {
    for (const fuzzCase of cases) writeModel(modelsDir, fuzzCase);
    const compareAll = async (local: Engine, sidecar: Engine): Promise<void> => {
      const waiting = cases.flatMap((fuzzCase) => pairsOf(fuzzCase, local, sidecar, tally));
      const lane = async (): Promise<void> => {
        for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
          await comparePair(pair.fuzzCase, pair.input, local, sidecar, tally);
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    };
    await withEngines(modelsDir, compareAll, sidecarOptions);
  } finally {
    rmSync(modelsDir, { recursive: true, force: true });
  }
}

/** Runs `use` with both engines on one model repository, and stops them. */
export async function withEngines(
  modelsDir: string,
  use: (local: Engine, sidecar: Engine) => Promise<void>,
  sidecarOptions: SidecarOptions = {},
): Promise<void> {
  const process = await startSidecar(modelsDir, {
    ...sidecarOptions,
    args: [...RECORDER, ...(sidecarOptions.args ?? [])],
  });
  const local = new LocalEngine({ id: 'local', modelsDir, workers: 1, recorderBytes: RECORDER_BYTES });
  const sidecar = new SidecarEngine('sidecar', process.address, STALL_TIMEOUT_MS);
  try {
    await Promise.all([local.start(), sidecar.start()]);
    await use(local, sidecar);
  } finally {
    await Promise.all([local.stop(), sidecar.stop()]);
    await process.stop();
  }
}

/** `suffix`: of its name. `nir`: its file. It contains its creation time, so another file has another identity. */
export function writeModel(
  modelsDir: string,
  { seed, graph, manifest }: FuzzCase,
  suffix = '',
  nir = writeNir(graph),
): void {
  const folder = join(modelsDir, `m${seed}${suffix}`);
  mkdirSync(join(folder, '1'), { recursive: true });
  writeFileSync(join(folder, 'model.yaml'), manifest);
  writeFileSync(join(folder, '1', 'model.nir'), nir);
}

/** The pairs of the case to run: none if the model is refused. */
function pairsOf(fuzzCase: FuzzCase, local: Engine, sidecar: Engine, tally: Tally) {
  const [a, b] = [findModel(local, fuzzCase), findModel(sidecar, fuzzCase)];
  const same = a.error === '' ? describe(a) === describe(b) : b.error !== '' && blameTheSame(a.error, b.error);
  if (!same) tally.differences.push({ fuzzCase, input: -1, local: describe(a), sidecar: describe(b) });
  if (same && a.error === '') return fuzzCase.inputs.map((_, input) => ({ fuzzCase, input }));
  tally.refused += 1;
  tally.pairs += fuzzCase.inputs.length;
  return [];
}

function findModel(engine: Engine, { seed }: FuzzCase): EngineModel {
  const model = engine.description?.models.find(({ name }) => name === `m${seed}`);
  if (model === undefined) throw new Error(`engine ${engine.id} does not list m${seed}: ${engine.downReason}`);
  return model;
}

function describe({ modelId, inputSize, outputSize, nodes, parameters, error }: EngineModel): string {
  if (error !== '') return `refused: ${error}`;
  return `id ${modelId}, ${inputSize} → ${outputSize}, ${nodes} nodes, ${parameters} parameters`;
}

/**
 * Two refusals may have different texts, but must name the same node, and the same field if both name one. If sizes
 * contradict each other, either node or field may be named; then both refusals mention both, or one in common.
 */
function blameTheSame(a: string, b: string): boolean {
  const [blameA, blameB] = [blame(a), blame(b)];
  const mentions = (error: string, name: string | undefined): boolean =>
    name === undefined || error.includes(`"${name}"`);
  const sameField = mentions(a, blameB.field) && mentions(b, blameA.field);
  const shared = [...a.matchAll(/"(.*?)"/g)].some(([, name]) => mentions(b, name));
  const bothNameFields = blameA.field !== undefined && blameB.field !== undefined;
  return blameA.owner === blameB.owner ? sameField || !bothNameFields : shared;
}

function blame(error: string): { owner: string | undefined; field: string | undefined } {
  const [, owner, field] = /^(?:node "(.*?)"|the root graph|model\.yaml): (?:field "(.*?)")?/.exec(error) ?? [];
  return { owner, field };
}

async function comparePair(
  fuzzCase: FuzzCase,
  at: number,
  local: Engine,
  sidecar: Engine,
  tally: Tally,
): Promise<void> {
  const detail = DETAILS[(fuzzCase.seed + at) % DETAILS.length];
  const input = { model: `m${fuzzCase.seed}`, version: 1, detail, ...fuzzCase.inputs[at]! };
  const [a, b] = await Promise.all([outcome(local, input), outcome(sidecar, input)]);
  tally.pairs += 1;
  if (a !== b) tally.differences.push({ fuzzCase, input: at, local: a, sidecar: b });
  else if (!a.startsWith('digest')) tally.failed += 1;
}

/** An engine need not distinguish between layers that were not requested and layers that do not exist. */
function layersText({ layers = [] }: Inference): string {
  const text = ({ node, neurons, spikes, eventsLeftOut, ...lists }: LayerActivity): string =>
    `${node} of ${neurons}: ${spikes} spikes at ${lists.spikesPerStep.join(' ')}, events ${lists.eventSteps.join(' ')} / ` +
    `${lists.eventNeurons.join(' ')} and ${eventsLeftOut} more`;
  return `layers ${layers.map(text).join('; ')}`;
}

/** Everything that must be the same, as text. */
export async function outcome(engine: Engine, input: InferenceInput): Promise<string> {
  try {
    const context = { deadlineMs: Infinity, signal: new AbortController().signal };
    const inference = await engine.infer(input, context);
    const { stateDigest, readoutDigest, steps, spikeCounts, potentials, totalSpikes, synapticOperations } = inference;
    const bytes = Buffer.from(potentials.buffer, potentials.byteOffset, potentials.byteLength).toString('hex');
    return (
      `digest ${stateDigest.toString(16)}, readout ${readoutDigest.toString(16)}, ${steps} steps, counts ${spikeCounts.join(' ')}, ` +
      `potentials ${bytes}, ${totalSpikes} spikes, ${synapticOperations} operations, ${layersText(inference)}, ` +
      `recording ${await recordingText(engine, inference.recordingId)}`
    );
  } catch (error) {
    const { kind, metadata, recordingId } = RouterError.from(error);
    const facts = JSON.stringify(metadata, ['field', 'index', 'node', 'step']);
    const ran = kind === 'NON_FINITE';
    return ran ? `${kind} ${facts}, recording ${await recordingText(engine, recordingId)}` : `${kind} ${facts}`;
  }
}
