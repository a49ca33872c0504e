// One inference on an engine. All that an engine says of an input passes here, whatever its kind and the purpose of the call: requests,
// audits, replays, and the known inputs of a quarantined engine.
import { RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../core/inference.ts';
import { checkAnswer } from './check-answer.ts';
import { checkRefusal, malformed } from './check-refusal.ts';
import type { Engine } from './engine.ts';
import type { ModelPins, PinnedModel } from './model-pins.ts';
import { readoutDigest } from './readout-digest.ts';

/** By how much an engine's clock may differ from ours, microseconds. */
const CLOCK_SLACK_US = 1_000;

/** What it resolves with has the right form, and its readout digest is that of its readout. Rejects with RouterError only. */
export async function inferChecked(
  engine: Engine,
  pins: ModelPins,
  input: InferenceInput,
  context: CallContext,
  startedMs = performance.now(),
): Promise<Inference> {
  const model = findPin(pins, input);
  let inference: Inference;
  try {
    inference = await engine.infer(input, context);
  } catch (thrown) {
    throw checkRefusal(engine.id, thrown, input, context, startedMs);
  }
  const problem = problemOf(inference, input, model);
  if (problem !== '') throw malformed(engine.id, problem);
  return complete(inference, startedMs);
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
  let model: PinnedModel;
  try {
    model = findPin(pins, inputs[0]!);
  } catch (thrown) {
    for (const index of inputs.keys()) listener.failed(index, RouterError.from(thrown));
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

/** As checkAnswer, which must not throw, for any value. */
function problemOf(inference: Inference, input: InferenceInput, model: PinnedModel): string {
  try {
    return checkAnswer(inference, input, model);
  } catch {
    return 'a value of another type';
  }
}

function findPin(pins: ModelPins, { model: name, version }: InferenceInput): PinnedModel {
  const model = pins.find(name, version);
  if (model === undefined) {
    throw new RouterError('UNKNOWN_MODEL', `the router's repository has no version ${version} of model "${name}"`);
  }
  if (model.error !== '') {
    throw new RouterError('MODEL_INVALID', `model "${name}" cannot be used: ${model.error}`);
  }
  return model;
}

/** With the readout digest that an engine may leave out, and with no more time than has passed. */
function complete(inference: Inference, startedMs: number): Inference {
  const { computeUs, queueUs, readoutDigest: digest } = inference;
  // Reading the clock costs more than this.
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
