// h2spec, strict, against one edge: the passed cases, and a reason for each other case.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Edge } from './edges.ts';
import { reasonFor } from './h2spec-reasons.ts';
import { h2spec } from './tools.ts';

interface H2specCase {
  /** Section and name, as h2spec prints them. */
  readonly id: string;
  readonly outcome: 'passed' | 'skipped' | 'failed';
  /** For a case that did not pass: why that is correct; undefined if there is no known reason. */
  readonly reason: string | undefined;
}

const TIMEOUT_S = 2;

export async function judgeByH2spec({ name, host, port }: Edge): Promise<H2specCase[]> {
  const program = await h2spec();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-h2spec-'));
  const report = join(folder, 'report.xml');
  const args = ['-h', host, '-p', String(port), '--strict', '--timeout', String(TIMEOUT_S), '--junit-report', report];
  // It ends with 1 if a case fails; the report says which.
  await promisify(execFile)(program, args, { maxBuffer: 1 << 26 }).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 1) throw error;
  });
  const cases = readReport(readFileSync(report, 'latin1'));
  rmSync(folder, { recursive: true });
  return cases.map((each) => ({
    ...each,
    reason: each.outcome === 'passed' ? undefined : reasonFor(name, each.id),
  }));
}

function readReport(xml: string): Omit<H2specCase, 'reason'>[] {
  const pattern = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*>(?:([^]*?))<\/testcase>/g;
  return [...xml.matchAll(pattern)].map(([, section, name, inside]) => ({
    id: `${section} ${name!.replaceAll('&#34;', '"')}`,
    outcome: /<skipped/.test(inside!) ? 'skipped' : /<(error|failure)/.test(inside!) ? 'failed' : 'passed',
  }));
}
