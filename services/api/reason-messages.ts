// Converts a ReasonRequest to a question and an error to a ReasonError, for calls, batches and streams. Answers:
// reason-encoder.ts.
import { ERROR_KINDS, RouterError } from '../core/errors.ts';
import type { LayerActivity as Layer } from '../core/inference.ts';
import { type LayerActivity, type ReasonError, ReasonRequest, type Session } from '../generated/tandem/v1/reasoning.ts';
import { type Events, ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import { Code } from '../grpc/status.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { PackedEvents } from '../inputs/events.ts';
import type { RawInput } from '../routing/check-input.ts';
import type { SessionRequest } from '../sessions/options.ts';
import { toCacheMode, toDetail, toStrategyName } from './enums.ts';
import { readPlainRequest } from './plain-request.ts';
import { checkReason } from './request-limits.ts';
import { clip } from './status.ts';
import { toVotePolicy } from './vote-policy.ts';

const MAX_REQUEST_ID_BYTES = 128;
const MAX_SESSION_ID_BYTES = 128;

/** Checks the limits of request-limits.ts, too. */
export function readReasonRequest(bytes: Uint8Array): ReasonRequestWire {
  const plain = readPlainRequest(bytes);
  if (plain !== undefined) return plain;
  checkReason(bytes);
  return decodeReasonRequest(bytes);
}

/**
 * Clients may also send a repeated float unpacked, with a tag for each number. That is rare, and only then it is read
 * number by number.
 */
export function decodeReasonRequest(bytes: Uint8Array): ReasonRequestWire {
  const wire = ReasonRequestWire.decode(bytes);
  const isPacked = wire.encoding.length > 0 || wire.tensor !== undefined || wire.events !== undefined;
  if (isPacked || wire.text !== '') return wire;
  const { encoding } = ReasonRequest.decode(bytes);
  const packed = Buffer.alloc(encoding.length * 4);
  encoding.forEach((value, index) => packed.writeFloatLE(value, index * 4));
  return { ...wire, encoding: [packed] };
}

/** `caller`: the caller's name, for a message of a session. */
export function toQuestion(request: ReasonRequestWire, caller: () => string = noSessions): ReasonQuestion {
  if (Buffer.byteLength(request.requestId) > MAX_REQUEST_ID_BYTES) {
    throw new RouterError('INVALID_FIELD', `request_id is over ${MAX_REQUEST_ID_BYTES} bytes; send a shorter one`, {
      field: 'request_id',
    });
  }
  return {
    model: request.model,
    modelVersion: request.modelVersion,
    input: toRawInput(request),
    text: request.text === '' ? undefined : request.text,
    strategy: toStrategyName(request.strategy),
    cache: toCacheMode(request.cache),
    vote: toVotePolicy(request.vote),
    detail: toDetail(request.detail),
    session: request.session && toSession(request.session, caller()),
  };
}

/** For calls that do not support sessions. */
export function noSessions(): never {
  throw new RouterError('INVALID_FIELD', 'this call takes no session; send it over ReasoningService', {
    field: 'session',
  });
}

function toSession({ id, state, returnState, close, expectedStep }: Session, caller: string): SessionRequest {
  const bytes = Buffer.byteLength(id);
  if (bytes === 0 || bytes > MAX_SESSION_ID_BYTES) {
    const message = `session.id has ${bytes} bytes; choose a name of 1 to ${MAX_SESSION_ID_BYTES}`;
    throw new RouterError('INVALID_FIELD', message, { field: 'session.id' });
  }
  return { caller, id, state, returnState, close, expectedStep };
}

function toRawInput({ encoding, tensor, text, events }: ReasonRequestWire): RawInput {
  if (events !== undefined) {
    if (tensor === undefined && encoding.length === 0 && text === '')
      return { field: 'events', events: toPackedEvents(events) };
    const other = tensor !== undefined ? 'tensor' : text === '' ? 'encoding' : 'text';
    const message = `events and ${other} are both set; send one of them`;
    throw new RouterError('INVALID_FIELD', message, { field: 'events' });
  }
  const data = encoding.length === 1 ? (encoding[0] ?? Buffer.alloc(0)) : Buffer.concat(encoding);
  if (text !== '' && (data.length > 0 || tensor !== undefined)) {
    const message = `text and ${tensor === undefined ? 'encoding' : 'tensor'} are both set; send one of them`;
    throw new RouterError('INVALID_FIELD', message, { field: 'text' });
  }
  if (tensor === undefined) return { field: 'encoding', shape: [data.length / 4], dtype: 'FP32', data };
  if (data.length > 0) {
    throw new RouterError('INVALID_FIELD', 'encoding and tensor are both set; send one of them', { field: 'tensor' });
  }
  return { field: 'tensor', shape: tensor.shape, dtype: tensor.dtype, data: tensor.data };
}

function toPackedEvents({ tUs, x, y, polarity, startUs, steps }: Events): PackedEvents {
  const [times, columns, rows, signs] = [tUs, x, y, polarity].map((runs) =>
    runs.length === 1 ? runs[0]! : Buffer.concat(runs),
  );
  const start = startUs === undefined ? undefined : Number(startUs);
  return { times: times!, x: columns!, y: rows!, polarity: signs!, startUs: start, steps };
}

/** For the generated encoder. */
export function fromLayer({
  spikes,
  spikesPerStep,
  eventSteps,
  eventNeurons,
  eventsLeftOut,
  ...layer
}: Layer): LayerActivity {
  return {
    ...layer,
    spikes: BigInt(spikes),
    spikesPerStep: spikesPerStep as number[],
    eventSteps: eventSteps as number[],
    eventNeurons: eventNeurons as number[],
    eventsLeftOut: BigInt(eventsLeftOut),
  };
}

/** The error that a single call for this input would get. */
export function toReasonError(error: RouterError): ReasonError {
  const { kind, message, violation, retryAfterMs = 0 } = error;
  return {
    code: Code[ERROR_KINDS[kind].code],
    reason: kind,
    message: clip(message),
    field: violation?.field ?? '',
    retryAfterMs: Math.ceil(retryAfterMs),
  };
}
