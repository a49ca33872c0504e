// Answers to lines of the old protocol.
import { RouterError } from '../../core/errors.ts';
import { BadRequest, ErrorInfo } from '../../generated/google/rpc/error_details.ts';
import { Status as RpcStatus } from '../../generated/google/rpc/status.ts';
import { DETAILS } from '../../grpc/metadata.ts';
import { type Status, StatusError, codeName } from '../../grpc/status.ts';
import { toStatus } from '../status.ts';
import type { Message } from './messages.ts';

/** Answers a successful call: the type of the message, and its id if it has one. */
export function answerOf(message: Message, answer: Message): Message {
  return { type: message['type'], ...idOf(message), ...answer };
}

/** `message`: undefined if the line could not be parsed. */
export function failureOf(error: unknown, message: Message | undefined): Message {
  const status = error instanceof StatusError ? error : toStatus(RouterError.from(error));
  const { reason, field } = detailsOf(status);
  return {
    type: 'error',
    ...(message === undefined ? {} : idOf(message)),
    ...{ error: status.message, code: codeName(status.code), reason },
    ...(field === '' ? {} : { field }),
  };
}

function idOf(message: Message): Message {
  return message['id'] === undefined ? {} : { id: message['id'] };
}

function detailsOf({ metadata }: Status): { reason: string; field: string } {
  const [bytes] = metadata?.getBinary(DETAILS) ?? [];
  const { details } = bytes === undefined ? RpcStatus.create() : RpcStatus.decode(bytes);
  const find = (type: string): Uint8Array =>
    details.find(({ typeUrl }) => typeUrl.endsWith(`/google.rpc.${type}`))?.value ?? new Uint8Array(0);
  return {
    reason: ErrorInfo.decode(find('ErrorInfo')).reason,
    field: BadRequest.decode(find('BadRequest')).fieldViolations[0]?.field ?? '',
  };
}
