// Sends requests at a fixed rate until SIGTERM. Then prints the number of requests for each status. A separate process:
// after the router was stopped, its client library needs seconds to send its waiting requests, and another caller in
// the same process would be delayed.
import { parseArguments } from '../support/arguments.ts';
import { callRouter } from '../support/caller.ts';
import { readHeldout } from '../support/heldout.ts';
import { paceLoad } from '../support/load.ts';

const string = { type: 'string' } as const;
const { values } = parseArguments({ options: { address: string, rate: string, deadline: string } });

const system = callRouter(values.address!);
const options = { system, inputs: readHeldout(), deadlineMs: Number(values.deadline) };
const load = paceLoad({ ...options, ratePerS: Number(values.rate) });
async function end(): Promise<void> {
  const counts: Record<string, number> = {};
  for (const { code } of (await load.stop()).requests) counts[code] = (counts[code] ?? 0) + 1;
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  system.close();
}
process.once('SIGTERM', () => void end());
