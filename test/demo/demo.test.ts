import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const MAIN = join(import.meta.dirname, 'main.ts');

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

async function demo(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((resolve) => void child.on('close', resolve));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, output, errors };
}

describe('npm run demo', () => {
  it('plays every scenario, and every claim holds', async () => {
    const { code, output, errors } = await demo();
    expect([errors, code]).toEqual(['', 0]);
    expect(output.match(/✓/g)!.length).toBeGreaterThan(20);
    expect(output).toContain('DISSENTS');
  }, 120_000);

  it('lists the scenarios if an unknown one is named', async () => {
    const { code, errors } = await demo('vtoe');
    expect(code).toBe(1);
    expect(errors).toContain('There is no scenario "vtoe". There are: basic, batch, vote');
  });
});
