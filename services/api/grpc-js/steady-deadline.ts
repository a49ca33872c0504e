// grpc-js keeps a call's deadline as wall-clock time. If the clock is set while the call's message is arriving, the
// deadline would pass at once, or never. So the deadline is converted to the monotonic clock when the call's headers
// arrive.
import type * as grpc from '@grpc/grpc-js';

export const steadyDeadline: grpc.ServerInterceptor = (_method, call) => {
  const deadline = Number(call.getDeadline());
  if (deadline !== Infinity) {
    const endMs = performance.now() + deadline - Date.now();
    call.getDeadline = () => Date.now() + endMs - performance.now();
  }
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the same call: a wrapped one would cost more
  return call as grpc.ServerInterceptingCall;
};
