// Refuses calls at their headers while the router has too little CPU: before a message is read, decoded or traced, for a
// router that is short of CPU must be able to refuse more than it can answer. Only calls that reason: an operator's get by.
import * as grpc from '@grpc/grpc-js';
import type { RouterError } from '../core/errors.ts';
import type { Observer } from '../core/observer.ts';
import type { Router } from '../routing/router.ts';
import { type StatusReply, toStatus } from './status.ts';
import { remainingMs } from './unary.ts';

/** Their paths, and what they are counted as. */
const SHED = new Map(['Reason', 'ReasonBatch'].map((name) => [`/tandem.v1.ReasoningService/${name}`, name]));

/** What grpc-js gives its handler in place of a call that has ended already: the handler never hears of it. */
const ENDED = { start: () => undefined } as unknown as grpc.ServerInterceptingCall;

export function shedding(router: Pick<Router, 'refusal'>, observer: Observer): grpc.ServerInterceptor {
  let last: { readonly refusal: RouterError; readonly status: StatusReply } | undefined;
  return (method, call) => {
    const name = SHED.get(method.path);
    const refusal = name && router.refusal(performance.now() + remainingMs(call.getDeadline()));
    if (!refusal) return call as grpc.ServerInterceptingCall;
    if (last?.refusal !== refusal) last = { refusal, status: toStatus(refusal) };
    call.sendStatus(last.status);
    observer.requestEnded(name, refusal.kind, 0);
    return ENDED;
  };
}
