// One Reason call in protobuf's JSON for HTTP callers, with the same checks and limits as over gRPC.
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { ReasonError, ReasonRequest, ReasonResponse } from '../generated/tandem/v1/reasoning.ts';
import { codeName } from '../grpc/status.ts';
import { type ItemOptions, type ItemRouter, reasonItem } from './reason-item.ts';
import { noSessions, toReasonError } from './reason-messages.ts';

/** Its name in metrics and traces. */
const TYPE = 'Dashboard.Reason';

interface JsonAnswer {
  /** "OK", or a gRPC status. Example: "INVALID_ARGUMENT". */
  readonly code: string;
  /** A ReasonResponse or a ReasonError. */
  readonly body: unknown;
}

/** Never rejects. */
export async function reasonJson(
  request: unknown,
  router: ItemRouter,
  context: CallContext,
  options: Pick<ItemOptions, 'observer' | 'onInternalError' | 'tracing'>,
): Promise<JsonAnswer> {
  let bytes: Uint8Array;
  try {
    bytes = ReasonRequest.encode(ReasonRequest.fromJSON(request)).finish();
  } catch {
    return failed(toReasonError(new RouterError('INVALID_FIELD', 'this is not a ReasonRequest in protobuf’s JSON')));
  }
  const { outcome } = await reasonItem(bytes, router, context, {
    ...options,
    type: TYPE,
    caller: noSessions,
    begin: (startedMs) => options.tracing.begin(TYPE, startedMs, '', '', true),
  });
  return outcome.$case === 'result'
    ? { code: 'OK', body: ReasonResponse.toJSON(ReasonResponse.decode(outcome.value)) }
    : failed(outcome.value);
}

function failed(error: ReasonError): JsonAnswer {
  return { code: codeName(error.code), body: ReasonError.toJSON(error) };
}
