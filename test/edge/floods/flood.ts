// One flood against one server: the server's reaction, its memory, and the effect on another client.
import { setPriority } from 'node:os';
import { pin } from '../../support/pin.ts';
import { peakRssBytes, resetPeak, rssBytes } from '../../support/proc.ts';
import { run } from '../../support/process.ts';
import type { Edge } from '../edges.ts';
import type { AttackReport } from './attacker.ts';
import type { Attack } from './attacks.ts';
import type { VictimReport } from './victim.ts';

export interface FloodResult {
  readonly attack: Attack;
  readonly report: AttackReport;
  /** The largest growth of the server's memory, bytes. */
  readonly grownBytes: number;
  readonly p99Ms: number;
  readonly failedCalls: number;
}

const SECONDS = 3;
const CLIENT_CPU = 1;
const LOWEST_PRIORITY = 19;

/** The other client's p99 without an attack, milliseconds. */
export async function quietP99Ms(edge: Edge): Promise<number> {
  return p99(await startVictim(edge));
}

export async function flood(edge: Edge, attack: Attack): Promise<FloodResult> {
  const before = rssBytes(edge.pid);
  resetPeak(edge.pid);
  const victim = startVictim(edge);
  const { child, finished } = run('test/edge/floods/attacker.ts', [
    attack.name,
    edge.host,
    String(edge.port),
    String(SECONDS),
  ]);
  // The attacker shares the other client's CPU at a lower priority, so it slows only the server.
  setPriority(child.pid!, LOWEST_PRIORITY);
  await pin(child.pid!, CLIENT_CPU);
  const report = JSON.parse((await finished).stdout) as AttackReport;
  const outcome = await victim;
  return {
    attack,
    report,
    grownBytes: Math.max(0, peakRssBytes(edge.pid) - before),
    p99Ms: p99(outcome),
    failedCalls: outcome.failed,
  };
}

async function startVictim({ host, port }: Edge): Promise<VictimReport> {
  const { child, finished } = run('test/edge/floods/victim.ts', [host, String(port), String(SECONDS)]);
  await pin(child.pid!, CLIENT_CPU);
  const { stdout, stderr } = await finished;
  if (stdout === '') throw new Error(`the other client ended without a report: ${stderr}`);
  return JSON.parse(stdout) as VictimReport;
}

function p99({ latenciesMs }: VictimReport): number {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  return sorted[Math.ceil(0.99 * sorted.length) - 1] ?? NaN;
}
