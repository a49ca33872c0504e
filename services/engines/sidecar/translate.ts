// tandem.engine.v1 messages to the router's own words. The one place where an engine's reasons become error kinds.
import { RouterError, isErrorKind } from '../../core/errors.ts';
import type { Inference } from '../../core/inference.ts';
import type {
  DescribeResponse,
  InferError,
  Inference as WireInference,
} from '../../generated/tandem/engine/v1/engine.ts';
import type { EngineDescription } from '../engine.ts';

export function toInference(wire: WireInference): Inference {
  return {
    modelVersion: wire.modelVersion,
    steps: wire.steps,
    spikeCounts: wire.spikeCounts,
    potentials: wire.potentials,
    totalSpikes: Number(wire.totalSpikes),
    synapticOperations: Number(wire.synapticOperations),
    stateDigest: wire.stateDigest,
    queueUs: wire.queueUs,
    computeUs: wire.computeUs,
  };
}

/** An engine's own INTERNAL, or a reason this router does not know, is that engine's fault: another may do better. */
export function toRouterError(engineId: string, wire: InferError): RouterError {
  const known = isErrorKind(wire.reason) && wire.reason !== 'INTERNAL';
  if (known) return new RouterError(wire.reason as never, wire.message, { metadata: wire.metadata });
  return new RouterError('ENGINE_FAULT', `engine "${engineId}" failed: ${wire.reason}: ${wire.message}`);
}

export function toDescription(wire: DescribeResponse): EngineDescription {
  return {
    build: wire.build,
    numericsVersion: wire.numericsVersion,
    models: wire.models.map((model) => ({ ...model, parameters: Number(model.parameters) })),
  };
}
