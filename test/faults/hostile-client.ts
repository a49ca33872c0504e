// Runs one attack of hostile-plays.ts against an engine for some seconds. It is a separate process, so its work and
// memory do not affect the measurement.
import { parseArguments } from '../support/arguments.ts';
import { PLAYS } from './hostile-plays.ts';

const string = { type: 'string' } as const;
const { values } = parseArguments({ options: { address: string, model: string, play: string, seconds: string } });

const endMs = performance.now() + Number(values.seconds) * 1_000;
const target = { address: values.address!, model: values.model!, isOver: () => performance.now() >= endMs };
await PLAYS[values.play!]!(target);
process.exit(0); // a stream that the engine does not end would keep the process alive
