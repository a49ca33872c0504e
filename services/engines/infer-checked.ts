// One checked inference on an engine. Every answer of every engine is checked here, for requests, audits, replays and
// golden vectors alike.
import { RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../core/inference.ts';
import { checkAnswer } from './check-answer.ts';
import { checkRefusal, malformed } from './check-refusal.ts';
import type { Engine } from './engine.ts';
import type { ModelPins, PinnedModel } from './model-pins.ts';
import { readoutDigest } from './readout-digest.ts';

/** Allowed difference between an engine's clock and ours, microseconds. */
const CLOCK_SLACK_US = 1_000;

/** Resolves with a well-formed answer whose readout digest matches its readout. Rejects with RouterError only. */
export function inferChecked(
  engine: Engine,
  pins: ModelPins,
  input: InferenceInput,
  context: CallContext,
  startedMs = performance.now(),
): Promise<Inference> {
  const model = findPin(pins, input);
  if (model instanceof RouterError) return Promise.reject(model);
  return engine.infer(input, context).then(
    (inference) => {
      const problem = problemOf(inference, input, model);
      if (problem !== '') throw malformed(engine.id, problem);
      return complete(inference, startedMs);
    },
    (thrown: unknown) => {
      throw checkRefusal(engine.id, thrown, input, context, startedMs);
    },
  );
}

/** The same for a group of inputs for one model version. */
export function inferEachChecked(
  engine: Engine,
  pins: ModelPins,
  inputs: readonly InferenceInput[],
  context: CallContext,
  startedMs: number,
  listener: InferenceListener,
): void {
  const model = findPin(pins, inputs[0]!);
  if (model instanceof RouterError) {
    for (const index of inputs.keys()) listener.failed(index, model);
    return;
  }
  const checking: InferenceListener = {
    answered: (index, inference) => {
      const problem = problemOf(inference, inputs[index]!, model);
      if (problem === '') listener.answered(index, complete(inference, startedMs));
      else listener.failed(index, malformed(engine.id, problem));
    },
    failed: (index, error) =>
      listener.failed(index, checkRefusal(engine.id, error, inputs[index]!, context, startedMs)),
  };
  if (engine.inferEach !== undefined) engine.inferEach(inputs, context, checking);
  else for (const [index, input] of inputs.entries()) inferOne(engine, input, context, index, checking);
}

function inferOne(
  engine: Engine,
  input: InferenceInput,
  context: CallContext,
  index: number,
  listener: InferenceListener,
): void {
  engine.infer(input, context).then(
    (inference) => listener.answered(index, inference),
    (thrown: unknown) => listener.failed(index, RouterError.from(thrown)),
  );
}

/** Like checkAnswer, but for any value, and never throws. */
function problemOf(inference: Inference, input: InferenceInput, model: PinnedModel): string {
  try {
    return checkAnswer(inference, input, model);
  } catch {
    return 'a value of another type';
  }
}

function findPin(pins: ModelPins, { model: name, version }: InferenceInput): PinnedModel | RouterError {
  const model = pins.find(name, version);
  if (model === undefined) {
    return new RouterError('UNKNOWN_MODEL', `the router's repository has no version ${version} of model "${name}"`);
  }
  if (model.error !== '') {
    return new RouterError('MODEL_INVALID', `model "${name}" cannot be used: ${model.error}`);
  }
  return model;
}

/** Adds the readout digest if the engine left it out, and limits its times to the time that has passed. */
function complete(inference: Inference, startedMs: number): Inference {
  const { computeUs, queueUs, readoutDigest: digest } = inference;
  // This costs less than reading the clock.
  if (digest !== 0n && computeUs + queueUs <= CLOCK_SLACK_US) return inference;
  const elapsedUs = Math.ceil((performance.now() - startedMs) * 1_000) + CLOCK_SLACK_US;
  if (digest !== 0n && computeUs + queueUs <= elapsedUs) return inference;
  return {
    ...inference,
    readoutDigest: digest === 0n ? readoutDigest(inference) : digest,
    computeUs: Math.min(computeUs, elapsedUs),
    queueUs: Math.min(queueUs, Math.max(0, elapsedUs - computeUs)),
  };
}
