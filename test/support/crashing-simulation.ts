// The real simulation thread, except that it dies when it runs a network with a node named "crash", or any network after it
// has dropped one.
import { parentPort } from 'node:worker_threads';
import type { NetworkChange } from '../../services/engines/local/messages.ts';
import { Simulator } from '../../services/engines/local/simulator.ts';

let hasDropped = false;
const run = Simulator.prototype.run;
Simulator.prototype.run = function (...args) {
  if (hasDropped || this.network.nodes.some(({ name }) => name === 'crash')) process.exit(7);
  return run.apply(this, args);
};

await import('../../services/engines/local/simulation-thread.ts');

// Added after the thread's own listener: messages that arrive earlier wait only for the first listener.
parentPort!.on('message', (message: object) => {
  if ('key' in message && (message as NetworkChange).network === undefined) hasDropped = true;
});
