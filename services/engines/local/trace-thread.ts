// A worker that traces runs, one for each message, so that no ordinary request waits for one.
import { parentPort } from 'node:worker_threads';
import type { Trace } from '../engine.ts';
import { refuseNotFinite } from './input-check.ts';
import type { Failure, TraceRun } from './messages.ts';
import { threadSetup } from './thread.ts';
import { trace } from './tracer.ts';

const port = parentPort!;
threadSetup();

port.on('message', ({ network, input, steps, place }: TraceRun) => {
  port.postMessage((refuseNotFinite(input) ?? trace(network, input, steps, place)) satisfies Trace | Failure);
});
