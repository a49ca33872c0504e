// Runs fuzz cases on both engines and compares their traces: every node at every step, bit for bit.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RouterError } from '../../services/core/errors.ts';
import type { InferenceInput } from '../../services/core/inference.ts';
import type { Engine, Trace, TracePlace } from '../../services/engines/engine.ts';
import { withEngines, writeModel } from './compare.ts';
import type { FuzzCase } from './generate.ts';
import { Random } from './random.ts';

interface TraceTally {
  /** Pairs of network and input that were traced by both. */
  traced: number;
  digests: number;
  /** Nodes and steps whose values were compared, too. */
  places: number;
  /** Runs that ended before their last step, equally on both engines. */
  ended: number;
  readonly differences: string[];
}

const PLACES_A_RUN = 3;

export async function compareTraces(cases: readonly FuzzCase[]): Promise<TraceTally> {
  const tally: TraceTally = { traced: 0, digests: 0, places: 0, ended: 0, differences: [] };
  const modelsDir = mkdtempSync(join(tmpdir(), 'tandem-traces-'));
  try {
    for (const fuzzCase of cases) writeModel(modelsDir, fuzzCase);
    await withEngines(modelsDir, async (local, sidecar) => {
      for (const fuzzCase of cases) {
        const isUsable = [local, sidecar].every((engine) => {
          return engine.description?.models.some(({ name, error }) => name === `m${fuzzCase.seed}` && error === '');
        });
        if (!isUsable) continue;
        for (const given of fuzzCase.inputs) {
          const input = { model: `m${fuzzCase.seed}`, version: 1, ...given };
          await compareRun(new Random(fuzzCase.seed), input, local, sidecar, tally);
        }
      }
    });
  } finally {
    rmSync(modelsDir, { recursive: true, force: true });
  }
  return tally;
}

async function compareRun(
  random: Random,
  input: InferenceInput,
  local: Engine,
  sidecar: Engine,
  tally: TraceTally,
): Promise<void> {
  const differ = (what: string, a: string, b: string): void => {
    if (a !== b) tally.differences.push(`${input.model}: ${what}: local ${a}, sidecar ${b}`);
  };
  const [a, b] = await Promise.all([local, sidecar].map((engine) => traceOf(engine, input)));
  if (typeof a === 'string' || typeof b === 'string') {
    differ('refusal', kindOf(a), kindOf(b));
    return;
  }
  differ('nodes', a!.nodes.join(' '), b!.nodes.join(' '));
  differ('digests', a!.digests.join(' '), b!.digests.join(' '));
  differ('end', a!.ended, b!.ended);
  tally.traced += 1;
  tally.digests += a!.digests.length;
  if (a!.ended !== '') tally.ended += 1;
  const steps = a!.digests.length / a!.nodes.length;
  for (let n = 0; n < PLACES_A_RUN && steps > 0; n += 1) {
    const place = { step: random.integer(0, steps - 1), node: random.pick(a!.nodes) };
    const [x, y] = await Promise.all([local, sidecar].map((engine) => traceOf(engine, input, place)));
    differ(`step ${place.step} of ${place.node}`, valuesOf(x!), valuesOf(y!));
    tally.places += 1;
  }
}

/** A trace, or the reason why there is none. */
async function traceOf(engine: Engine, input: InferenceInput, place?: TracePlace): Promise<Trace | string> {
  const context = { deadlineMs: Infinity, signal: new AbortController().signal };
  try {
    return await engine.trace(input, place, context);
  } catch (error) {
    const { kind, message } = RouterError.from(error);
    return `${kind}: ${message}`;
  }
}

function kindOf(outcome: Trace | string | undefined): string {
  return typeof outcome === 'string' ? outcome.split(':', 1)[0]! : 'traced';
}

function valuesOf(outcome: Trace | string): string {
  if (typeof outcome === 'string') return outcome;
  const { current, potential, output } = outcome;
  return [current, potential, output].map((bytes) => Buffer.from(bytes).toString('hex')).join(' / ');
}
