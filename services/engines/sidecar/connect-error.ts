// Words for an operator the reason why connecting failed or a connection was lost. The same cause always gives the same
// text.
import type { GrpcClient } from '../../grpc/client.ts';
import { Code, type Status, StatusError } from '../../grpc/status.ts';

const NAMES: readonly string[] = Object.keys(Code);
const LOST = 'its connection was lost: its process has ended or is stopped, or the network is down';

/** For an attempt to connect with a time limit of `timeoutMs`. */
export function whyUnreachable(error: unknown, timeoutMs: number): Error {
  const why = (text: string): Error => new Error(`unreachable: ${text}`, { cause: error });
  if (isLate(error)) {
    const check = 'check its address, the network and firewalls, and whether its process is stopped';
    return why(`no connection within ${timeoutMs} ms; ${check}`);
  }
  const { message } = error as Error;
  const cause = message.replace(/^cannot connect: /, '');
  return why(cause.startsWith('getaddrinfo') ? `its name has no address (${cause})` : cause);
}

/** For a connected engine that was asked for its description. */
export function describeFailure(error: unknown, { closeReason }: Pick<GrpcClient, 'closeReason'>, ms: number): Error {
  const why = (text: string): Error => new Error(text, { cause: error });
  if (closeReason?.by === 'here')
    return why('not an engine: what listens at this address speaks no gRPC; check the address');
  if (closeReason !== undefined) return why('unreachable: what listens at this address closes every connection');
  if (isLate(error)) {
    return why(`connected, but it did not say within ${ms} ms what it is; its process may be stopped or overloaded`);
  }
  const status = error as StatusError;
  if (status.code === Code.UNIMPLEMENTED) {
    return why(`not an engine: something else answers at this address (${status.message}); check the address`);
  }
  return why(toText(status));
}

/** No answer in time: an engine that was connected before is stopped or cut off. */
export function isSilent(error: unknown): boolean {
  return isLate((error as Error).cause);
}

/** For an open stream that ended. */
export function whyLost(end: Status, { closeReason }: Pick<GrpcClient, 'closeReason'>): string {
  if (closeReason === undefined) return end.code === Code.OK ? 'it closed the stream' : toText(end);
  const { by, code, text, budget } = closeReason;
  if (by === 'here') return budget === 'keepalive' ? LOST : `it breaks HTTP/2: ${text}`;
  return code === 0 ? LOST : `it has ended the connection: ${text}`;
}

/** An engine may send a status code that does not exist. */
export function nameOf(code: number): string {
  return NAMES[code] ?? 'a status that gRPC does not have';
}

/** Example: "13 INTERNAL: out of memory". */
function toText({ code, message }: Status): string {
  return `${code} ${nameOf(code)}: ${message}`;
}

function isLate(error: unknown): boolean {
  return error instanceof StatusError && error.code === Code.DEADLINE_EXCEEDED;
}
