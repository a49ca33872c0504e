// Runs one input on every engine again, without routing: which engines agree, and where the others first differ.
//
// Engines are asked directly: breakers and statistics are not affected, and drained or quarantined engines are asked,
// too.
import { ERROR_KINDS, RouterError } from '../core/errors.ts';
import { hex64 } from '../core/hex.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';
import type { Engine, EngineModel, Trace } from '../engines/engine.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { ServedModel } from '../engines/pool.ts';
import { type Difference, firstDifference, firstElement } from './replay-compare.ts';
import { within } from './replay-time.ts';

export interface ReplayedEngine {
  readonly id: string;
  readonly build: string;
  /** Undefined if it gave no answer. */
  readonly stateDigest: bigint | undefined;
  /** Of what it returned. */
  readonly readoutDigest: bigint | undefined;
  /** Why it gave no answer, or another known problem; empty: none. */
  readonly error: string;
}

interface LocatedDifference extends Difference {
  readonly engineId: string;
  /** One of the largest group that agrees. */
  readonly referenceId: string;
}

export interface Replay {
  /** Of the weights and run settings that were asked. */
  readonly modelId: bigint;
  /** In pool order. */
  readonly engines: readonly ReplayedEngine[];
  /** At most one for each engine that differs from the largest group. */
  readonly differences: readonly LocatedDifference[];
}

/** The part of a pool that a replay needs. */
export interface ReplayPool {
  readonly engines: readonly Pick<PooledEngine, 'id' | 'engine' | 'build' | 'inferUncounted'>[];
  served(name: string, version: number): ServedModel | undefined;
}

/** The outcome of one engine. */
interface Outcome {
  readonly id: string;
  readonly build: string;
  readonly engine: Engine;
  readonly inference?: Inference;
  readonly readout?: bigint;
  /** Equal for outcomes that agree; undefined if the engine does not count. */
  readonly key?: string;
  error: string;
}

/** Time limit of one question to one engine, milliseconds. */
const EACH_MS = 10_000;
/**
 * A run, a trace and two values are requested one after another, and an engine that never answers must not use up the
 * caller's time.
 */
const PHASES = 4;

/** `version` 0: the highest that engines hold. Rejects with RouterError; faults of engines are in the answer. */
export async function replayInput(pool: ReplayPool, input: InferenceInput, context: CallContext): Promise<Replay> {
  const { version, modelId } = findModel(pool, input);
  const pinned = { ...input, version };
  const eachMs = Math.min(EACH_MS, (context.deadlineMs - performance.now()) / PHASES);
  const outcomes = await Promise.all(pool.engines.map((each) => runOn(each, pinned, modelId, eachMs, context)));
  const differences = await locateAll(outcomes, pinned, eachMs, context);
  if (context.signal.aborted) throw RouterError.from(context.signal.reason);
  const engines = outcomes.map(({ id, build, inference, readout, error }) => {
    return { id, build, stateDigest: inference?.stateDigest, readoutDigest: readout, error };
  });
  return { modelId, engines, differences };
}

/** Finds the version, and the model id that most engines hold for it. Throws UNKNOWN_MODEL. */
function findModel(pool: ReplayPool, { model: name, version }: InferenceInput): { version: number; modelId: bigint } {
  const held = pool.engines.flatMap(({ engine }) => engine.description?.models ?? []);
  const versions = held.filter((model) => model.name === name && model.error === '').map((model) => model.version);
  const wanted = version || Math.max(0, ...versions);
  // Even if no engine is ready for requests, one may be able to replay.
  const isWanted = (model: EngineModel): boolean => {
    return model.name === name && model.version === wanted && model.error === '';
  };
  const modelId = pool.served(name, wanted)?.model.modelId ?? held.find(isWanted)?.modelId;
  if (modelId !== undefined) return { version: wanted, modelId };
  const message = `no engine holds model "${name.slice(0, 64)}"${version > 0 ? ` version ${version}` : ''}`;
  throw new RouterError('UNKNOWN_MODEL', message, { field: 'model' });
}

async function runOn(
  pooled: ReplayPool['engines'][number],
  input: InferenceInput,
  modelId: bigint,
  eachMs: number,
  context: CallContext,
): Promise<Outcome> {
  const { id, engine } = pooled;
  const build = engine.description?.build ?? pooled.build;
  const absent = whyAbsent(engine, input, modelId);
  if (absent !== '') return { id, build, engine, error: absent };
  try {
    const inference = await within(eachMs, context, (limits) => pooled.inferUncounted(input, limits));
    const { stateDigest, readoutDigest: readout } = inference;
    return { id, build, engine, inference, readout, key: `${stateDigest} ${readout}`, error: '' };
  } catch (thrown) {
    const { kind, message, metadata } = RouterError.from(thrown);
    // A refusal of the input counts as an answer on which engines must agree. An invalid answer agrees with nothing.
    const isSaid = ERROR_KINDS[kind].fromEngine === 'claim' || metadata['malformed'] !== undefined;
    const key = isSaid ? `${kind} ${metadata['step']} ${metadata['node']}` : undefined;
    return { id, build, engine, key, error: `${kind}: ${message}` };
  }
}

/** Why an engine does not count; empty: it counts. */
function whyAbsent({ description, downReason }: Engine, { model, version }: InferenceInput, modelId: bigint): string {
  if (description === undefined) return `down: ${downReason}`;
  const held = description.models.find((one) => one.name === model && one.version === version);
  if (held === undefined) return `it does not hold model ${model}/${version}`;
  if (held.error !== '') return `it cannot use model ${model}/${version}: ${held.error}`;
  if (held.modelId === modelId) return '';
  return `it holds other weights or run settings: model id ${hex64(held.modelId)}, not ${hex64(modelId)}`;
}

/**
 * Finds the first difference of each engine that differs from the largest group. If that fails, `error` has the reason.
 */
async function locateAll(
  outcomes: readonly Outcome[],
  input: InferenceInput,
  eachMs: number,
  context: CallContext,
): Promise<LocatedDifference[]> {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    if (outcome.key !== undefined) groups.set(outcome.key, [...(groups.get(outcome.key) ?? []), outcome]);
  }
  if (groups.size < 2) return [];
  const largest = [...groups.values()].reduce((a, b) => (b.length > a.length ? b : a));
  const dissenters = outcomes.filter((each) => each.key !== undefined && !largest.includes(each));

  const traced = await firstTrace(largest, (engine) =>
    within(eachMs, context, (limits) => engine.trace(input, undefined, limits)),
  );
  if ('why' in traced) {
    for (const each of dissenters)
      note(each, `where it differs is not known, because no engine to compare with has a trace: ${traced.why}`);
    return [];
  }
  const found = await Promise.all(
    dissenters.map((each) => locate(each, traced.reference, traced.trace, input, eachMs, context)),
  );
  return found.flatMap((difference) => difference ?? []);
}

/** Of the first engine of the group that can trace. */
async function firstTrace(
  group: readonly Outcome[],
  trace: (engine: Engine) => Promise<Trace>,
): Promise<{ reference: Outcome; trace: Trace } | { why: string }> {
  let why = '';
  for (const reference of group) {
    try {
      return { reference, trace: await trace(reference.engine) };
    } catch (thrown) {
      why ||= RouterError.from(thrown).message;
    }
  }
  return { why };
}

async function locate(
  outcome: Outcome,
  reference: Outcome,
  right: Trace,
  input: InferenceInput,
  eachMs: number,
  context: CallContext,
): Promise<LocatedDifference | undefined> {
  try {
    const ask = (engine: Engine, place?: { step: number; node: string }): Promise<Trace> =>
      within(eachMs, context, (limits) => engine.trace(input, place, limits));
    const place = firstDifference(await ask(outcome.engine), right);
    if (typeof place === 'string') {
      note(outcome, place);
      return undefined;
    }
    const [values, others] = await Promise.all([ask(outcome.engine, place), ask(reference.engine, place)]);
    const element = firstElement(values, others);
    if (element !== undefined) return { engineId: outcome.id, referenceId: reference.id, ...place, ...element };
    note(outcome, `it differed at step ${place.step}, node "${place.node}", and no more when it was asked again`);
  } catch (thrown) {
    note(outcome, `where it differs is not known: ${RouterError.from(thrown).message}`);
  }
  return undefined;
}

function note(outcome: Outcome, text: string): void {
  outcome.error = outcome.error === '' ? text : `${outcome.error}; ${text}`;
}
