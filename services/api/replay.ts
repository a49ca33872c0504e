// ReplayInput: runs one input on every engine again, to find the one that is wrong.
import { RouterError } from '../core/errors.ts';
import type { ReplayInputRequest, ReplayInputResponse } from '../generated/tandem/v1/engines.ts';
import { type ReplayPool, replayInput } from '../routing/replay.ts';
import { dtypeOf } from '../inputs/dtype.ts';
import type { UnaryContext } from './unary.ts';

export function replayHandler(
  pool: ReplayPool,
): (request: ReplayInputRequest, context: UnaryContext) => Promise<ReplayInputResponse> {
  return async ({ model, modelVersion, tensor, state }, context) => {
    if (model === '') throw new RouterError('INVALID_FIELD', 'model is not set; name one', { field: 'model' });
    if (tensor === undefined || tensor.data.length === 0) {
      throw new RouterError('INPUT_MISSING', 'the input is empty; send a tensor', { field: 'tensor' });
    }
    const { name, bytes, toFloats } = dtypeOf(tensor.dtype);
    if (tensor.data.length % bytes !== 0) {
      const message = `data has ${tensor.data.length} bytes, and an element of ${name} has ${bytes}; send whole ones`;
      throw new RouterError('INPUT_DTYPE', message, { field: 'tensor.data' });
    }
    const data = toFloats(tensor.data);
    const input = { model, version: modelVersion, shape: tensor.shape, data, state };
    const { modelId, engines, differences } = await replayInput(pool, input, context);
    return {
      engines: engines.map(({ id, build, stateDigest, readoutDigest, error }) => ({
        engineId: id,
        build,
        stateDigest: stateDigest ?? 0n,
        readoutDigest: readoutDigest ?? 0n,
        error,
      })),
      differences: differences.map(({ referenceId, ...place }) => ({ ...place, referenceEngineId: referenceId })),
      processingTimeMs: performance.now() - context.startedMs,
      modelId,
    };
  };
}
