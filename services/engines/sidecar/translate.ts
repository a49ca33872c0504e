// Converts tandem.engine.v1 messages to the router's types. The only place that maps an engine's reasons to error
// kinds.
import { ERROR_KINDS, type ErrorKind, RouterError, isErrorKind } from '../../core/errors.ts';
import type { Detail, LayerActivity } from '../../core/inference.ts';
import { ErrorInfo } from '../../generated/google/rpc/error_details.ts';
import { Status } from '../../generated/google/rpc/status.ts';
import {
  type DescribeResponse,
  type GetRecordingResponse,
  type InferError,
  type LayerActivity as WireLayer,
  type ModelDescription,
  type RecordedNode as WireNode,
  type TraceResponse,
  Detail as WireDetail,
} from '../../generated/tandem/engine/v1/engine.ts';
import { DETAILS } from '../../grpc/metadata.ts';
import { Code, type Status as CallStatus } from '../../grpc/status.ts';
import type { EngineDescription, EngineModel, RecordedNode, Recording, Trace } from '../engine.ts';
import { printable } from '../printable.ts';
import type { Versions } from './compatibility.ts';
import { nameOf } from './connect-error.ts';

/** gRPC's own. */
const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1_048_576;
/** Maximum length of an engine's own texts, for the log. */
const MAX_TEXT_CHARS = 256;
const MAX_REASON_CHARS = 64;
const MAX_DOWN_CHARS = 300;
const MAX_BUILD_CHARS = 200;
const MAX_MODEL_ERROR_CHARS = 500;
const MAX_MODEL_NAME_CHARS = 160;
/**
 * Maximum length of a node name; check-layers.ts refuses longer ones. It is not cut shorter, so that names stay
 * distinct.
 */
const MAX_NODE_CHARS = 1_025;
const MAX_FACTS = 8;

export function toLayer({ spikes, eventsLeftOut, ...layer }: WireLayer): LayerActivity {
  const node = printable(layer.node, MAX_NODE_CHARS);
  return { ...layer, node, spikes: toNumber(spikes), eventsLeftOut: toNumber(eventsLeftOut) };
}

/** Never rounded: a value that a number cannot hold exactly becomes infinite, so every comparison fails. */
function toNumber(count: bigint): number {
  return count > Number.MAX_SAFE_INTEGER ? Infinity : Number(count);
}

/** The engines' enum has no value for SUMMARY. */
export function fromDetail(detail: Detail = 'SUMMARY'): WireDetail {
  return detail === 'SUMMARY' ? WireDetail.DETAIL_UNSPECIFIED : WireDetail[`DETAIL_${detail}`];
}

/**
 * Converts an engine's error for an inference. Reasons that no engine may give, its own INTERNAL, and unknown reasons
 * are its fault: another engine may succeed.
 */
export function toRouterError(engineId: string, wire: InferError): RouterError {
  return toError(engineId, wire, mayBeAnswered);
}

function mayBeAnswered(reason: ErrorKind): boolean {
  return ERROR_KINDS[reason].fromEngine !== 'never' || reason === 'DEADLINE_EXCEEDED';
}

/** For calls other than inferences. */
const OTHER_REASONS: ReadonlySet<ErrorKind> = new Set(['UNKNOWN_RECORDING', 'MODEL_DIFFERS', 'MODEL_LIMIT']);

/** Traces, recordings and loads have additional reasons. */
function mayBeAnsweredToOthers(reason: ErrorKind): boolean {
  return mayBeAnswered(reason) || reason.startsWith('TRACE_') || OTHER_REASONS.has(reason);
}

function toError(engineId: string, wire: InferError, may: (reason: ErrorKind) => boolean): RouterError {
  const { reason, recordingId } = wire;
  const message = printable(wire.message, MAX_TEXT_CHARS);
  if (!isErrorKind(reason) || !may(reason)) {
    const why = `${printable(reason, MAX_REASON_CHARS)}: ${message}`;
    return new RouterError('ENGINE_FAULT', `engine "${engineId}" failed: ${why}`);
  }
  const facts = Object.entries(wire.metadata).slice(0, MAX_FACTS);
  const metadata = facts.map(([name, fact]) => [printable(name, MAX_REASON_CHARS), printable(fact, MAX_TEXT_CHARS)]);
  const options = { metadata: Object.fromEntries(metadata) as Record<string, string>, recordingId };
  return new RouterError(reason, message, options);
}

export function toTrace({ nodes, digests, current, potential, output, ended }: TraceResponse): Trace {
  return {
    nodes: nodes.map((node) => printable(node, MAX_NODE_CHARS)),
    digests: BigUint64Array.from(digests),
    current,
    potential,
    output,
    ended: printable(ended, MAX_REASON_CHARS),
  };
}

export function toRecording({ steps, nodes, ended }: GetRecordingResponse): Recording {
  const toNode = ({ stateChecksums, ...node }: WireNode): RecordedNode => {
    const name = printable(node.node, MAX_NODE_CHARS);
    return { ...node, node: name, stateChecksums: Uint32Array.from(stateChecksums) };
  };
  return { steps, nodes: nodes.map(toNode), ended: printable(ended, MAX_REASON_CHARS) };
}

/** Why a connection ended. The text may come from an engine. */
export function toDownReason(error: unknown): string {
  return printable((error as Error).message, MAX_DOWN_CHARS);
}

/** Converts the error of a unary call. A status without google.rpc details comes from gRPC itself. */
export function fromStatus(engineId: string, error: CallStatus): RouterError {
  const { code } = error;
  const message = printable(error.message || 'it gave no reason', MAX_TEXT_CHARS);
  const { reason, metadata } = errorInfo(error);
  if (reason !== '') {
    return toError(engineId, { code, reason, message, metadata, recordingId: 0n }, mayBeAnsweredToOthers);
  }
  switch (code) {
    case Code.UNIMPLEMENTED:
      return new RouterError('ENGINE_FAULT', `engine "${engineId}" cannot do that; a newer build may`);
    case Code.DEADLINE_EXCEEDED:
      return new RouterError('DEADLINE_EXCEEDED', `the deadline passed before engine "${engineId}" answered`);
    case Code.UNAVAILABLE:
    case Code.CANCELLED: // and we did not cancel
      return new RouterError('ENGINE_LOST', `engine "${engineId}" was lost: ${message}`);
    default:
      return new RouterError('ENGINE_FAULT', `engine "${engineId}" failed: ${nameOf(code)}: ${message}`);
  }
}

interface Info {
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const NO_INFO: Info = { reason: '', metadata: {} };

/** None if the engine sent none, or if they cannot be decoded. */
function errorInfo({ metadata }: CallStatus): Info {
  const [bytes] = metadata?.getBinary(DETAILS) ?? [];
  if (bytes === undefined) return NO_INFO;
  try {
    const info = Status.decode(bytes).details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.ErrorInfo'));
    return info === undefined ? NO_INFO : ErrorInfo.decode(info.value);
  } catch {
    return NO_INFO;
  }
}

export function toVersions(wire: DescribeResponse): Versions {
  const { numericsVersion: numerics, protocolVersion: protocol, oldestProtocolVersion: oldestProtocol } = wire;
  return { numerics, protocol, oldestProtocol };
}

export function toDescription(wire: DescribeResponse): EngineDescription {
  return {
    build: printable(wire.build, MAX_BUILD_CHARS),
    numericsVersion: wire.numericsVersion,
    models: wire.models.map(toModel),
    instanceId: Buffer.from(wire.instanceId).toString('hex'),
    maxInFlight: wire.maxInFlight,
    maxMessageBytes: Number(wire.maxMessageBytes) || DEFAULT_MAX_MESSAGE_BYTES,
    sessionStates: wire.sessionStates,
  };
}

export function toModel({ name, error, parameters, ...model }: ModelDescription): EngineModel {
  return {
    ...model,
    name: printable(name, MAX_MODEL_NAME_CHARS),
    error: printable(error, MAX_MODEL_ERROR_CHARS),
    parameters: Number(parameters),
  };
}
