// A simulation thread that dies on running a network that has a node named "crash", or any network once it has dropped one.
// It is the real one otherwise.
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

// After the thread's own listener: messages that come before the first listener wait for it, and for no other.
parentPort!.on('message', (message: object) => {
  if ('key' in message && (message as NetworkChange).network === undefined) hasDropped = true;
});
