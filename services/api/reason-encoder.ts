// Encodes ReasonResponse and the messages around it directly from an answer. The part that is equal for all callers is
// encoded once for a cached answer: see `Answer.encoded`.
import { UUID_CHARS, putUuid } from '../core/random-uuid.ts';
import { energyJ, ownComputeUs } from '../core/work.ts';
import { WireWriter } from '../core/wire-writer.ts';
import { LayerActivity, ReasonError } from '../generated/tandem/v1/reasoning.ts';
import type { Answer } from '../routing/answer.ts';
import type { Attempt } from '../routing/attempt.ts';
import type { CastBallot } from '../routing/dispute.ts';
import type { ReasonAnswer } from '../routing/router.ts';
import type { SessionStatus } from '../routing/session-status.ts';
import { fromBallotOutcome, fromCacheStatus, fromGrade, fromKind, fromStrategy } from './enums.ts';
import { fromLayer } from './reason-messages.ts';

/** Wire types. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const tag = (field: number, wireType: number): number => field * 8 + wireType;

/** Shared: only one message is written at a time, and none is left half-written. */
const response = new WireWriter();
const envelope = new WireWriter();

/** A result is an encoded ReasonResponse. */
export type ItemOutcome =
  { readonly $case: 'result'; readonly value: Buffer } | { readonly $case: 'error'; readonly value: ReasonError };

/** `startedMs`: time of receipt by performance.now(). `requestId` empty: one is generated. */
export function encodeResponse(requestId: string, reasoned: ReasonAnswer, startedMs: number, traceId: string): Buffer {
  const { answer, attempts } = reasoned;
  response.reset();
  if (requestId === '') response.put(tag(1, BYTES), UUID_CHARS, putUuid);
  else response.text(tag(1, BYTES), requestId);
  if (attempts.length > 0) writeAnswer(response, reasoned);
  else response.raw((answer.encoded ??= encodeAnswer(reasoned)));
  for (let k = 0; k < attempts.length; k += 1) writeAttempt(response, attempts[k]!);
  const totalMs = performance.now() - startedMs;
  writeTiming(response, reasoned, totalMs);
  response.double(tag(17, FIXED64), totalMs);
  response.number(tag(18, VARINT), fromCacheStatus(reasoned.cache));
  response.number(tag(19, VARINT), fromGrade(reasoned.grade));
  response.text(tag(21, BYTES), traceId);
  writeCost(response, attempts);
  if (reasoned.session !== undefined) writeSession(response, reasoned.session);
  return response.copy();
}

/** A ReasonBatchResponse. */
export function encodeBatch(outcomes: readonly ItemOutcome[], processingTimeMs: number): Buffer {
  envelope.reset();
  for (const outcome of outcomes) {
    envelope.varint(tag(1, BYTES));
    const start = envelope.begin();
    writeOutcome(outcome, 1);
    envelope.end(start);
  }
  envelope.double(tag(2, FIXED64), processingTimeMs);
  return envelope.copy();
}

/** A ReasonStreamResponse. */
export function encodeStreamResponse(requestId: string, outcome: ItemOutcome, processingTimeMs: number): Buffer {
  envelope.reset();
  envelope.text(tag(1, BYTES), requestId);
  writeOutcome(outcome, 2);
  envelope.double(tag(4, FIXED64), processingTimeMs);
  return envelope.copy();
}

/** `field`: field number of a result; an error has the next number. */
function writeOutcome(outcome: ItemOutcome, field: number): void {
  if (outcome.$case === 'result') envelope.bytes(tag(field, BYTES), outcome.value);
  else envelope.bytes(tag(field + 1, BYTES), ReasonError.encode(outcome.value).finish());
}

function encodeAnswer(reasoned: ReasonAnswer): Uint8Array {
  envelope.reset();
  writeAnswer(envelope, reasoned);
  return envelope.ownCopy();
}

/** The part that is equal for every caller of this answer. */
function writeAnswer(to: WireWriter, { answer, model }: ReasonAnswer): void {
  const { inference, engine, ballots } = answer;
  to.text(tag(2, BYTES), answer.label);
  to.number(tag(3, VARINT), answer.labelIndex);
  to.float(tag(4, FIXED32), answer.confidence);
  to.floats(tag(5, BYTES), answer.scores);
  to.numbers(tag(6, BYTES), inference.spikeCounts);
  to.big(tag(7, VARINT), inference.totalSpikes);
  to.big(tag(8, VARINT), inference.synapticOperations);
  to.fixed64(tag(9, FIXED64), inference.stateDigest);
  to.text(tag(10, BYTES), model.name);
  to.number(tag(11, VARINT), model.version);
  to.number(tag(12, VARINT), inference.steps);
  to.varint(tag(13, BYTES));
  const start = to.begin();
  to.text(tag(1, BYTES), engine.id);
  to.number(tag(2, VARINT), fromKind(engine.kind));
  to.text(tag(3, BYTES), engine.build);
  to.end(start);
  to.number(tag(14, VARINT), fromStrategy(answer.strategy));
  if (ballots.length > 0) writeVote(to, ballots);
  for (const layer of inference.layers ?? []) to.bytes(tag(22, BYTES), LayerActivity.encode(fromLayer(layer)).finish());
  // Packed floats have the same bytes on the wire as in the engine's answer.
  to.bytes(tag(25, BYTES), inference.potentials);
  if (inference.readoutPerStep !== undefined) to.bytes(tag(27, BYTES), inference.readoutPerStep);
}

function writeVote(to: WireWriter, ballots: readonly CastBallot[]): void {
  to.varint(tag(20, BYTES));
  const vote = to.begin();
  for (const { engineId, stateDigest, outcome, why, durationMs } of ballots) {
    to.varint(tag(1, BYTES));
    const ballot = to.begin();
    to.text(tag(1, BYTES), engineId);
    to.fixed64(tag(2, FIXED64), stateDigest ?? 0n);
    to.number(tag(3, VARINT), fromBallotOutcome(outcome));
    to.text(tag(4, BYTES), why);
    to.number(tag(5, VARINT), toUs(durationMs));
    to.end(ballot);
  }
  to.end(vote);
}

function writeAttempt(to: WireWriter, { engineId, outcome, durationMs }: Attempt): void {
  to.varint(tag(15, BYTES));
  const start = to.begin();
  to.text(tag(1, BYTES), engineId);
  to.text(tag(2, BYTES), outcome);
  to.number(tag(3, VARINT), toUs(durationMs));
  to.end(start);
}

function writeTiming(to: WireWriter, { answer, attempts }: ReasonAnswer, totalMs: number): void {
  const { inference, engine } = answer;
  const isComputed = attempts.length > 0;
  to.varint(tag(16, BYTES));
  const start = to.begin();
  if (isComputed) {
    to.number(tag(1, VARINT), inference.queueUs);
    to.number(tag(2, VARINT), toUs(engineMs(attempts, engine)));
    to.number(tag(3, VARINT), inference.computeUs);
  }
  to.number(tag(4, VARINT), toUs(totalMs));
  to.end(start);
}

function engineMs(attempts: readonly Attempt[], { id }: Answer['engine']): number {
  for (const { engineId, outcome, durationMs } of attempts) if (engineId === id && outcome === 'OK') return durationMs;
  return 0;
}

function writeCost(to: WireWriter, attempts: readonly Attempt[]): void {
  let inferences = 0;
  let computeUs = 0;
  let synapticOperations = 0n;
  let spikes = 0n;
  for (const { work } of attempts) {
    if (work === undefined) continue;
    inferences += 1;
    computeUs += ownComputeUs(work);
    synapticOperations += work.synapticOperations;
    spikes += work.totalSpikes;
  }
  to.varint(tag(24, BYTES));
  const start = to.begin();
  to.number(tag(1, VARINT), inferences);
  to.double(tag(2, FIXED64), computeUs);
  to.big(tag(3, VARINT), synapticOperations);
  to.big(tag(4, VARINT), spikes);
  to.double(tag(5, FIXED64), energyJ(Number(synapticOperations)));
  to.end(start);
}

function writeSession(to: WireWriter, { id, step, state, opened }: SessionStatus): void {
  to.varint(tag(26, BYTES));
  const start = to.begin(state?.length ?? 0);
  to.text(tag(1, BYTES), id);
  to.number(tag(2, VARINT), step);
  if (state !== undefined) to.bytes(tag(3, BYTES), state);
  to.number(tag(4, VARINT), Number(opened));
  to.end(start, state?.length ?? 0);
}

function toUs(ms: number): number {
  return Math.round(ms * 1_000);
}
