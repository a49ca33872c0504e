// Every attack against one edge. The limits are memory +16 MB, and three times another client's p99.
import { setTimeout as delay } from 'node:timers/promises';
import { goFirst, pin } from '../../support/pin.ts';
import { type EdgeName, startEdge } from '../edges.ts';
import { ATTACKS } from './attacks.ts';
import { type FloodResult, flood, quietP99Ms } from './flood.ts';

interface FloodVerdict extends FloodResult {
  readonly quietP99Ms: number;
  readonly passed: boolean;
}

const GROWTH_MAX_BYTES = 16 * 2 ** 20;
const P99_RATIO_MAX = 3;
const SERVER_CPU = 0;
/** Time for the JIT compiler and the heap to settle before the first attack. */
const WARM_UPS = 2;
/** Another process of this machine may disturb one try, but not all of them. */
const TRIES = 3;
const REST_MS = 500;

/** `names`: only these attacks, if given. */
export async function judgeFloods(
  name: EdgeName,
  progress: (text: string) => void,
  names?: readonly string[],
): Promise<FloodVerdict[]> {
  goFirst();
  const edge = await startEdge(name);
  const verdicts: FloodVerdict[] = [];
  try {
    await pin(edge.pid, SERVER_CPU);
    const quiets: number[] = [];
    for (let each = 0; each <= WARM_UPS; each += 1) {
      const quiet = await quietP99Ms(edge);
      if (each > 0) quiets.push(quiet); // the first one compiles
    }
    for (const attack of ATTACKS.filter((each) => names?.includes(each.name) ?? true)) {
      let verdict: FloodVerdict | undefined;
      for (let round = 1; round <= TRIES && verdict?.passed !== true; round += 1) {
        progress(`floods, ${name}: ${attack.name}, try ${round}`);
        quiets.push(await quietP99Ms(edge));
        const quiet = median(quiets);
        const result = await flood(edge, attack);
        const passed =
          result.grownBytes <= GROWTH_MAX_BYTES && result.p99Ms <= P99_RATIO_MAX * quiet && result.failedCalls === 0;
        verdict = { ...result, quietP99Ms: quiet, passed };
        await delay(REST_MS);
      }
      verdicts.push(verdict!);
    }
  } finally {
    await edge.stop();
  }
  return verdicts;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

export function outcomeOf({ report, attack }: FloodResult): string {
  const codes = Object.keys(report.goaways).join(', ');
  if (report.closedByServer === 0) return report.refused > 0 ? 'refused' : 'open';
  const share = report.closedByServer / Math.max(1, report.opened);
  const kind = attack.connections === 1 || share > 0.5 ? 'closed' : 'some closed';
  return codes === '' ? kind : `${kind}, GOAWAY ${codes}`;
}
