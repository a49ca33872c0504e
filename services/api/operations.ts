// OperationService: long-running operations.
import {
  type CancelOperationRequest,
  type CancelOperationResponse,
  type GetOperationRequest,
  type GetOperationResponse,
  type ListOperationsRequest,
  type ListOperationsResponse,
  type Operation as OperationMessage,
  OperationServiceService,
  OperationState,
} from '../generated/tandem/v1/operations.ts';
import type { Method } from '../grpc/method.ts';
import type { Operation, Operations } from '../operations/operations.ts';
import { decoding } from './decoding.ts';
import { methodsOf } from './methods.ts';
import { checkOperation } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

const operationService = decoding(OperationServiceService, {
  listOperations: checkOperation,
  getOperation: checkOperation,
  cancelOperation: checkOperation,
});

export function operationMethods(operations: Operations, options: UnaryOptions): Method[] {
  return methodsOf(operationService, {
    listOperations: unary<ListOperationsRequest, ListOperationsResponse>(options, ({ kind }, { startedMs }) => ({
      operations: operations.list(kind).map(toMessage),
      processingTimeMs: performance.now() - startedMs,
    })),
    getOperation: unary<GetOperationRequest, GetOperationResponse>(options, ({ id }, { startedMs }) => ({
      operation: toMessage(operations.get(id)),
      processingTimeMs: performance.now() - startedMs,
    })),
    cancelOperation: unary<CancelOperationRequest, CancelOperationResponse>(options, ({ id }, { startedMs }) => ({
      operation: toMessage(operations.cancel(id)),
      processingTimeMs: performance.now() - startedMs,
    })),
  });
}

function toMessage({ state, startedMs, endedMs, done, total, ...rest }: Operation): OperationMessage {
  return {
    ...rest,
    state: OperationState[`OPERATION_STATE_${state}`],
    ...{ startedMs: BigInt(startedMs), endedMs: BigInt(endedMs), done: BigInt(done), total: BigInt(total) },
  };
}
