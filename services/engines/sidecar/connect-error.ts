// Why an engine cannot be connected to, in words for an operator. gRPC's own texts name its inner steps ("Waiting for LB
// pick") and times, so that the same cause never reads the same twice.
import * as grpc from '@grpc/grpc-js';

/** What Describe ended with, if it ended with a status. `timeoutMs`: how long it could take. */
export function whyNotConnected(error: unknown, timeoutMs: number): Error {
  const { code, details = '' } = error as Partial<grpc.ServiceError>;
  const why = (text: string): Error => new Error(text, { cause: error });
  switch (code) {
    case grpc.status.DEADLINE_EXCEEDED:
      return details.includes('remote_addr')
        ? why(
            `connected, but it did not say within ${timeoutMs} ms what it is; its process may be stopped or overloaded`,
          )
        : why(
            `unreachable: no connection within ${timeoutMs} ms; check its address, the network and firewalls, and whether its process is stopped`,
          );
    case grpc.status.UNAVAILABLE:
      return why(whyUnavailable(details));
    case grpc.status.UNIMPLEMENTED:
      return why(`not an engine: something else answers at this address (${details}); check the address`);
    default:
      return error as Error;
  }
}

/** No answer came in time: an engine that was there before is stopped or cut off. */
export function isSilent(error: unknown): boolean {
  return ((error as Error).cause as Partial<grpc.ServiceError> | undefined)?.code === grpc.status.DEADLINE_EXCEEDED;
}

/** What a stream ended with that was open. */
export function whyLost(error: Partial<grpc.ServiceError>): string {
  if (error.details !== 'Connection dropped') return error.message ?? '';
  return 'its connection was lost: its process has ended or is stopped, or the network is down';
}

function whyUnavailable(details: string): string {
  if (details.startsWith('Name resolution failed')) return `unreachable: its name has no address (${details})`;
  const cause = details
    .replace(/^No connection established\. Last error: (Error: )?/, '')
    .replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)/g, '')
    .replace(/\. Resolution note: $/, '');
  if (cause === 'Protocol error')
    return 'not an engine: what listens at this address speaks no gRPC; check the address';
  if (cause === 'Failed to connect') return 'unreachable: what listens at this address closes every connection';
  return `unreachable: ${cause}`;
}
