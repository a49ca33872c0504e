// A simulation thread that dies on running a network that has a node named "crash", and is the real one otherwise.
import { Simulator } from '../../services/engines/local/simulator.ts';

const run = Simulator.prototype.run;
Simulator.prototype.run = function (...args) {
  if (this.network.nodes.some(({ name }) => name === 'crash')) process.exit(7);
  return run.apply(this, args);
};

await import('../../services/engines/local/simulation-thread.ts');
