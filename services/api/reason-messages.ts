// ReasonRequest to question, answer to ReasonResponse: the same for one call, a batch and a stream.
import { randomUUID } from 'node:crypto';
import { ERROR_KINDS, RouterError } from '../core/errors.ts';
import type { LayerActivity as Layer } from '../core/inference.ts';
import { energyJ, ownComputeUs } from '../core/work.ts';
import {
  type Cost,
  type LayerActivity,
  type ReasonError,
  ReasonRequest,
  type ReasonResponse,
  type Vote,
} from '../generated/tandem/v1/reasoning.ts';
import { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import { Code } from '../grpc/status.ts';
import type { Attempt } from '../routing/ask.ts';
import type { CastBallot } from '../routing/dispute.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { ReasonAnswer } from '../routing/router.ts';
import type { RawInput } from '../routing/validate.ts';
import { fromBallotOutcome, fromCacheStatus, fromGrade, fromKind, fromStrategy } from './enums.ts';
import { toCacheMode, toDetail, toStrategyName } from './enums.ts';
import { clip } from './status.ts';
import { toVotePolicy } from './vote-policy.ts';

const MAX_REQUEST_ID_BYTES = 128;

/** Clients may also send a repeated float unpacked, one tag a number: rare, so only then is it read number by number. */
export function decodeReasonRequest(bytes: Uint8Array): ReasonRequestWire {
  const wire = ReasonRequestWire.decode(bytes);
  if (wire.encoding.length > 0 || wire.tensor !== undefined) return wire;
  const { encoding } = ReasonRequest.decode(bytes);
  const packed = Buffer.alloc(encoding.length * 4);
  encoding.forEach((value, index) => packed.writeFloatLE(value, index * 4));
  return { ...wire, encoding: [packed] };
}

export function toQuestion(request: ReasonRequestWire): ReasonQuestion {
  if (Buffer.byteLength(request.requestId) > MAX_REQUEST_ID_BYTES) {
    throw new RouterError('INVALID_FIELD', `request_id is over ${MAX_REQUEST_ID_BYTES} bytes; send a shorter one`, {
      field: 'request_id',
    });
  }
  return {
    model: request.model,
    modelVersion: request.modelVersion,
    input: toRawInput(request),
    strategy: toStrategyName(request.strategy),
    cache: toCacheMode(request.cache),
    vote: toVotePolicy(request.vote),
    detail: toDetail(request.detail),
  };
}

function toRawInput({ encoding, tensor }: ReasonRequestWire): RawInput {
  const data = encoding.length === 1 ? (encoding[0] ?? Buffer.alloc(0)) : Buffer.concat(encoding);
  if (tensor === undefined) return { field: 'encoding', shape: [data.length / 4], dtype: 'FP32', data };
  if (data.length > 0) {
    throw new RouterError('INVALID_FIELD', 'encoding and tensor are both set; send one of them', { field: 'tensor' });
  }
  return { field: 'tensor', shape: tensor.shape, dtype: tensor.dtype, data: tensor.data };
}

/** `startedMs`: receipt, on performance.now()'s clock. */
export function toResponse(requestId: string, reasoned: ReasonAnswer, startedMs: number, traceId = ''): ReasonResponse {
  const { answer, attempts, model } = reasoned;
  const { inference, engine, ballots } = answer;
  const isComputed = attempts.length > 0;
  const asked = attempts.find(({ engineId, outcome }) => engineId === engine.id && outcome === 'OK');
  const totalMs = performance.now() - startedMs;
  return {
    requestId: requestId || randomUUID(),
    label: answer.label,
    labelIndex: answer.labelIndex,
    confidence: answer.confidence,
    scores: answer.scores as number[],
    spikeCounts: inference.spikeCounts as number[],
    totalSpikes: inference.totalSpikes,
    synapticOperations: inference.synapticOperations,
    stateDigest: inference.stateDigest,
    model: model.name,
    modelVersion: model.version,
    steps: inference.steps,
    engine: { engineId: engine.id, kind: fromKind(engine.kind), build: engine.build },
    strategy: fromStrategy(answer.strategy),
    attempts: attempts.map(({ engineId, outcome, durationMs }) => ({
      engineId,
      outcome,
      durationUs: toUs(durationMs),
    })),
    timing: {
      queueUs: isComputed ? inference.queueUs : 0,
      engineUs: toUs(asked?.durationMs ?? 0),
      computeUs: isComputed ? inference.computeUs : 0,
      totalUs: toUs(totalMs),
    },
    processingTimeMs: totalMs,
    cache: fromCacheStatus(reasoned.cache),
    grade: fromGrade(reasoned.grade),
    vote: ballots.length === 0 ? undefined : toVote(ballots),
    traceId,
    cost: toCost(attempts),
    layers: inference.layers?.map(fromLayer) ?? [],
  };
}

function toCost(attempts: readonly Attempt[]): Cost {
  let [inferences, computeUs, synapticOperations, spikes] = [0, 0, 0n, 0n];
  for (const { work } of attempts) {
    if (work === undefined) continue;
    inferences += 1;
    computeUs += ownComputeUs(work);
    synapticOperations += work.synapticOperations;
    spikes += work.totalSpikes;
  }
  return { inferences, computeUs, synapticOperations, spikes, energyJ: energyJ(Number(synapticOperations)) };
}

function fromLayer({ spikes, spikesPerStep, eventSteps, eventNeurons, eventsLeftOut, ...layer }: Layer): LayerActivity {
  return {
    ...layer,
    spikes: BigInt(spikes),
    spikesPerStep: spikesPerStep as number[],
    eventSteps: eventSteps as number[],
    eventNeurons: eventNeurons as number[],
    eventsLeftOut: BigInt(eventsLeftOut),
  };
}

/** What a call for this input alone would have failed with. */
export function toReasonError(error: RouterError): ReasonError {
  const { kind, message, violation } = error;
  return {
    code: Code[ERROR_KINDS[kind].code],
    reason: kind,
    message: clip(message),
    field: violation?.field ?? '',
  };
}

function toVote(ballots: readonly CastBallot[]): Vote {
  return {
    ballots: ballots.map(({ engineId, stateDigest, outcome, why, durationMs }) => ({
      engineId,
      stateDigest: stateDigest ?? 0n,
      outcome: fromBallotOutcome(outcome),
      why,
      durationUs: toUs(durationMs),
    })),
  };
}

function toUs(ms: number): number {
  return Math.round(ms * 1_000);
}
