// A router whose answers a test sets, for rare behaviour of a real one.
import * as grpc from '@grpc/grpc-js';
import { type ListEnginesResponse, EngineAdminServiceService } from '../../services/generated/tandem/v1/engines.ts';
import {
  type ReasonBatchRequest,
  type ReasonBatchResponse,
  type ReasonRequest,
  ReasoningServiceService,
  ReasonResponse,
  type ReasonStreamRequest,
  type ReasonStreamResponse,
} from '../../services/generated/tandem/v1/reasoning.ts';

interface FakeAnswers {
  readonly listEngines?: () => ListEnginesResponse;
  readonly reasonBatch?: (request: ReasonBatchRequest) => ReasonBatchResponse;
  readonly reasonStream?: (call: grpc.ServerDuplexStream<ReasonStreamRequest, ReasonStreamResponse>) => void;
}

export interface FakeRouter {
  readonly address: string;
  stop(): void;
}

export async function startFakeRouter({ listEngines, reasonBatch, reasonStream }: FakeAnswers): Promise<FakeRouter> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  const unary =
    <Request, Response>(
      answer: ((request: Request) => Response) | undefined,
    ): grpc.handleUnaryCall<Request, Response> =>
    (call, callback) => {
      if (answer) callback(null, answer(call.request));
      else callback({ code: grpc.status.UNIMPLEMENTED });
    };
  server.addService(ReasoningServiceService, {
    reasonBatch: unary(reasonBatch),
    reasonStream: reasonStream ?? (() => {}),
  });
  server.addService(EngineAdminServiceService, { listEngines: unary(listEngines) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

/** The fake's answer: the label is the model's name. */
export function resultFor({ requestId, model }: ReasonRequest): { $case: 'result'; value: ReasonResponse } {
  return {
    $case: 'result',
    value: ReasonResponse.fromPartial({ requestId, label: model || 'something', confidence: 0.5 }),
  };
}
