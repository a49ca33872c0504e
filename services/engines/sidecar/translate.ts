// tandem.engine.v1 messages to the router's own words. The one place where an engine's reasons become error kinds.
import * as grpc from '@grpc/grpc-js';
import { RouterError, isErrorKind } from '../../core/errors.ts';
import type { Detail, Inference, LayerActivity } from '../../core/inference.ts';
import { ErrorInfo } from '../../generated/google/rpc/error_details.ts';
import { Status } from '../../generated/google/rpc/status.ts';
import {
  type DescribeResponse,
  type GetRecordingResponse,
  type InferError,
  type Inference as WireInference,
  type LayerActivity as WireLayer,
  type RecordedNode as WireNode,
  type TraceResponse,
  Detail as WireDetail,
} from '../../generated/tandem/engine/v1/engine.ts';
import type { EngineDescription, RecordedNode, Recording, Trace } from '../engine.ts';
import type { Versions } from './compatibility.ts';

/** gRPC's own. */
const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1_048_576;

export function toInference(wire: WireInference): Inference {
  return {
    modelVersion: wire.modelVersion,
    steps: wire.steps,
    spikeCounts: wire.spikeCounts,
    potentials: wire.potentials,
    totalSpikes: wire.totalSpikes,
    synapticOperations: wire.synapticOperations,
    stateDigest: wire.stateDigest,
    readoutDigest: wire.readoutDigest,
    queueUs: wire.queueUs,
    computeUs: wire.computeUs,
    batchItems: wire.batchItems,
    recordingId: wire.recordingId,
    ...(wire.layers.length === 0 ? {} : { layers: wire.layers.map(toLayer) }),
  };
}

function toLayer({ spikes, eventsLeftOut, ...layer }: WireLayer): LayerActivity {
  return { ...layer, spikes: Number(spikes), eventsLeftOut: Number(eventsLeftOut) };
}

/** The engines' enum has no word of its own for SUMMARY. */
export function fromDetail(detail: Detail = 'SUMMARY'): WireDetail {
  return detail === 'SUMMARY' ? WireDetail.DETAIL_UNSPECIFIED : WireDetail[`DETAIL_${detail}`];
}

/** An engine's own INTERNAL, or a reason this router does not know, is that engine's fault: another may do better. */
export function toRouterError(engineId: string, wire: InferError): RouterError {
  const { metadata, recordingId } = wire;
  const known = isErrorKind(wire.reason) && wire.reason !== 'INTERNAL';
  if (known) return new RouterError(wire.reason as never, wire.message, { metadata, recordingId });
  return new RouterError('ENGINE_FAULT', `engine "${engineId}" failed: ${wire.reason}: ${wire.message}`);
}

export function toTrace({ nodes, digests, current, potential, output, ended }: TraceResponse): Trace {
  return { nodes, digests: BigUint64Array.from(digests), current, potential, output, ended };
}

export function toRecording({ steps, nodes, ended }: GetRecordingResponse): Recording {
  const toNode = ({ stateChecksums, ...node }: WireNode): RecordedNode => {
    return { ...node, stateChecksums: Uint32Array.from(stateChecksums) };
  };
  return { steps, nodes: nodes.map(toNode), ended };
}

/** What a unary call ended with. A status without google.rpc details is gRPC's own. */
export function fromStatus(engineId: string, error: grpc.ServiceError): RouterError {
  const { code, details: message } = error;
  const { reason, metadata } = errorInfo(error);
  if (reason !== '') return toRouterError(engineId, { code, reason, message, metadata, recordingId: 0n });
  switch (code) {
    case grpc.status.UNIMPLEMENTED:
      return new RouterError('ENGINE_FAULT', `engine "${engineId}" cannot do that; a newer build may`);
    case grpc.status.DEADLINE_EXCEEDED:
      return new RouterError('DEADLINE_EXCEEDED', `the deadline passed before engine "${engineId}" answered`);
    case grpc.status.UNAVAILABLE:
    case grpc.status.CANCELLED: // and not by us
      return new RouterError('ENGINE_LOST', `engine "${engineId}" was lost: ${message}`);
    default:
      return new RouterError('ENGINE_FAULT', `engine "${engineId}" failed: ${grpc.status[code]}: ${message}`);
  }
}

function errorInfo({ metadata }: grpc.ServiceError): { reason: string; metadata: Readonly<Record<string, string>> } {
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (Buffer.isBuffer(bytes)) {
    for (const { typeUrl, value } of Status.decode(bytes).details) {
      if (typeUrl.endsWith('/google.rpc.ErrorInfo')) return ErrorInfo.decode(value);
    }
  }
  return { reason: '', metadata: {} };
}

export function toVersions(wire: DescribeResponse): Versions {
  const { numericsVersion: numerics, protocolVersion: protocol, oldestProtocolVersion: oldestProtocol } = wire;
  return { numerics, protocol, oldestProtocol };
}

export function toDescription(wire: DescribeResponse): EngineDescription {
  return {
    build: wire.build,
    numericsVersion: wire.numericsVersion,
    models: wire.models.map((model) => ({ ...model, parameters: Number(model.parameters) })),
    instanceId: Buffer.from(wire.instanceId).toString('hex'),
    maxInFlight: wire.maxInFlight,
    maxMessageBytes: Number(wire.maxMessageBytes) || DEFAULT_MAX_MESSAGE_BYTES,
  };
}
