// Validate: checks the caller's input against the model and converts it to binary32 in the model's shape. Text, events
// and encoders are processed here, once, so that every engine gets the same bits.
import { RouterError } from '../../core/errors.ts';
import { encode } from '../../inputs/encoders.ts';
import { MAX_SERIES_ELEMENTS, type PackedEvents, binEvents } from '../../inputs/events.ts';
import { type RawInput, type TensorInput, checkDetail, validateInput } from '../check-input.ts';
import type { Found } from '../find-model.ts';
import type { Step } from '../stage.ts';
import { textInput } from '../text-input.ts';

type EngineInput = Pick<TensorInput, 'shape' | 'data'>;

export const validate: Step = (request) => {
  const { question, found } = request;
  const { heldAs: model, version } = found.version;
  const { text } = question;
  const { shape, data } = text === undefined ? toEngineInput(question.input, found) : textInput(found, text);
  request.input = { model, version, shape, data, detail: question.detail ?? 'SUMMARY' };
  checkDetail(request.input, found.model);
};

/** Throws RouterError that names the field. */
function toEngineInput(input: RawInput, found: Found): EngineInput {
  if (input.field === 'events') return fromEvents(input.events, found);
  const data = validateInput(input, found.input);
  const { shape } = input;
  return found.version.encoder === undefined ? { shape, data } : encoded({ shape, data }, found);
}

function fromEvents(packed: PackedEvents, { version, model }: Found): EngineInput {
  const { events, name } = version;
  if (events === undefined) {
    const message = `model "${name}" takes no events; send a tensor, or set events in its model.yaml`;
    throw new RouterError('INPUT_KIND', message, { field: 'events' });
  }
  const { steps, values } = binEvents(packed, events);
  return { shape: [steps, model.inputSize], data: new Uint8Array(values.buffer) };
}

function encoded({ shape, data }: EngineInput, { version, input: { kind, size } }: Found): EngineInput {
  const rows = kind === 'series' ? shape[0]! : 1;
  const steps = kind === 'series' ? rows : version.steps;
  if (steps * size > MAX_SERIES_ELEMENTS) {
    const message = `the encoder would make ${steps} steps of ${size} numbers, over ${MAX_SERIES_ELEMENTS}; set fewer steps in model.yaml`;
    throw new RouterError('INPUT_STEPS', message, { field: 'tensor.shape' });
  }
  const values = new Float32Array(new Uint8Array(data).buffer);
  const spikes = encode(version.encoder!, { rows, size, values }, steps);
  return { shape: [steps, size], data: new Uint8Array(spikes.buffer) };
}
