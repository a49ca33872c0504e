// Tests a network with the golden vectors of its model.
import { hex64 } from '../../core/hex.ts';
import { checkInput, refuseNotFinite } from './input-check.ts';
import { Interrupt, Interrupted } from './interrupt.ts';
import type { KnownRun } from './messages.ts';
import type { Network } from './network.ts';
import { type RunResult, Simulator } from './simulator.ts';

const ADVICE = 'put the right file back, or remove it';

/**
 * Returns the number of vectors that were run: all, if `budgetMs` is enough. Throws an error that names the first one
 * that does not fit the network or has a different result.
 */
export function checkKnownRuns(network: Network, runs: readonly KnownRun[], budgetMs: number): number {
  if (runs.length === 0) return 0;
  const simulator = new Simulator(network);
  const interrupt = Interrupt.at(performance.now() + budgetMs);
  for (const [index, known] of runs.entries()) {
    const name = known.name === '' ? '' : ` ${JSON.stringify(known.name.slice(0, 64))}`;
    const fail = (why: string): Error =>
      new Error(`golden vector${name} (${index + 1} of ${runs.length}): ${why}; ${ADVICE}`);
    let result: RunResult;
    try {
      result = run(simulator, known, interrupt);
    } catch (error) {
      if (error instanceof Interrupted) return index;
      throw fail((error as Error).message);
    }
    const { stateDigest, readoutDigest } = result;
    if (stateDigest !== known.stateDigest) throw fail(differs('state digest', known.stateDigest, stateDigest));
    if (known.readoutDigest !== undefined && readoutDigest !== known.readoutDigest)
      throw fail(differs('readout digest', known.readoutDigest, readoutDigest));
  }
  return runs.length;
}

function run(simulator: Simulator, { data, shape }: KnownRun, interrupt: Interrupt): RunResult {
  const { inputKind, inputSize, steps } = simulator.network;
  const spec = { kind: inputKind, shape: [inputSize], size: inputSize, steps };
  const rows = checkInput({ model: '', version: 0, shape: shape ?? [inputSize], data }, spec);
  const input = new Float32Array(Uint8Array.from(data).buffer);
  const refusal = refuseNotFinite(input);
  if (refusal !== undefined) throw new Error(refusal.message);
  return simulator.run(input, rows, interrupt);
}

function differs(what: string, expected: bigint, got: bigint): string {
  return `expected ${what} ${hex64(expected)}, got ${hex64(got)}`;
}
