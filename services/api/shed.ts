// Refuses calls at their headers while the router has too little CPU: before a message is read, decoded or traced, for a
// router that is short of CPU must be able to refuse more than it can answer. Only calls that reason: an operator's get by.
import type * as grpc from '@grpc/grpc-js';
import type { RouterError } from '../core/errors.ts';
import type { Observer } from '../core/observer.ts';
import type { Router } from '../routing/router.ts';
import { type StatusReply, toStatus } from './status.ts';
import { remainingMs } from './unary.ts';

/** Their paths, and what they are counted as. */
const SHED = new Map(['Reason', 'ReasonBatch'].map((name) => [`/tandem.v1.ReasoningService/${name}`, name]));

type Call = grpc.ServerInterceptingCallInterface;

export function shedding(router: Pick<Router, 'refusal'>, observer: Observer): grpc.ServerInterceptor {
  let last: { readonly refusal: RouterError; readonly status: StatusReply } | undefined;
  const intercept = ({ path }: { readonly path: string }, call: Call): Call => {
    const name = SHED.get(path);
    const refusal = name && router.refusal(performance.now() + remainingMs(call.getDeadline()));
    if (!refusal) return call;
    if (last?.refusal !== refusal) last = { refusal, status: toStatus(refusal) };
    call.sendStatus(last.status);
    observer.requestEnded(name, refusal.kind, 0, refusal.lack);
    return neverStarted(call);
  };
  // grpc-js declares the class, and uses the interface.
  return intercept as unknown as grpc.ServerInterceptor;
}

/** For a call that has ended already: its handler does not hear of it. */
function neverStarted(call: Call): Call {
  return Object.assign(Object.create(call) as Call, { start: () => undefined });
}
