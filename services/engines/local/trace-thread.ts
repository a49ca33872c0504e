// A worker that traces runs, one per message, so that ordinary requests do not wait for traces.
import { parentPort } from 'node:worker_threads';
import type { Trace } from '../engine.ts';
import { refuseState } from './check-state.ts';
import { refuseNotFinite } from './input-check.ts';
import type { Failure, TraceRun } from './messages.ts';
import { stateLayout } from './state-layout.ts';
import { threadSetup } from './thread.ts';
import { trace } from './tracer.ts';

const port = parentPort!;
threadSetup();

port.on('message', (run: TraceRun) => {
  port.postMessage((refuse(run) ?? trace(run)) satisfies Trace | Failure);
});

function refuse({ network, input, steps, state }: TraceRun): Failure | undefined {
  const notFinite = refuseNotFinite(input);
  if (notFinite !== undefined || state.length === 0) return notFinite;
  return refuseState(state, steps, network, stateLayout(network));
}
