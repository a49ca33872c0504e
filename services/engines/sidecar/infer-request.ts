// Encodes jobs directly to an InferStreamRequest.
import { WireWriter } from '../../core/wire-writer.ts';
import type { InferJob } from './infer-job.ts';
import { EMPTY_CHECKSUM, seal } from './message-checksum.ts';
import type { OutgoingMessage } from './outbox.ts';
import { fromDetail } from './translate.ts';

/** Field numbers and wire types, encoded. */
const ITEM = 0x0a;
const CANCEL_IDS = 0x12;
const [ID, MODEL, VERSION, SHAPE, DATA] = [0x08, 0x12, 0x18, 0x22, 0x2a];
const [TIMEOUT_US, DIGEST_ONLY, TRACE_PARENT, TRACE_LAYERS, DETAIL] = [0x30, 0x38, 0x42, 0x48, 0x50];
const [STATE, RETURN_STATE] = [0x5a, 0x60];
const NO_BYTES = Buffer.alloc(0);

/** Shared by all streams: they write one message at a time. */
const writer = new WireWriter();

/**
 * Includes the checksum. `seed`: number of messages sent before on the stream. The result must be sent before the next
 * one is encoded. Time limits count from the engine's receipt, so they are computed here, as late as possible.
 */
export function encodeRequest({ jobs, cancelIds }: OutgoingMessage, seed: bigint): Buffer {
  writer.reset();
  const nowMs = performance.now();
  for (let k = 0; k < jobs.length; k += 1) writeItem(jobs[k]!, nowMs);
  writer.numbers(CANCEL_IDS, cancelIds);
  writer.raw(EMPTY_CHECKSUM);
  return seal(writer.view(), seed);
}

function writeItem({ id, input, context, traceParent }: InferJob, nowMs: number): void {
  const { state = NO_BYTES } = input;
  const length = input.data.length + state.length;
  writer.varint(ITEM);
  const start = writer.begin(length);
  writer.number(ID, id);
  writer.text(MODEL, input.model);
  writer.number(VERSION, input.version);
  writer.numbers(SHAPE, input.shape);
  if (input.data.length > 0) writer.bytes(DATA, input.data);
  const { deadlineMs } = context;
  if (deadlineMs !== Infinity) writer.number(TIMEOUT_US, Math.max(1, Math.round((deadlineMs - nowMs) * 1_000)));
  if (input.digestOnly) writer.number(DIGEST_ONLY, 1);
  if (traceParent.length > 0) writer.bytes(TRACE_PARENT, traceParent);
  if (context.span?.asksForLayers) writer.number(TRACE_LAYERS, 1);
  writer.number(DETAIL, fromDetail(input.detail));
  if (state.length > 0) writer.bytes(STATE, state);
  if (input.returnState) writer.number(RETURN_STATE, 1);
  writer.end(start, length);
}
