// The reader of the router's log ends, or stops reading.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { callRouter } from '../support/caller.ts';
import { freePorts } from '../support/free-ports.ts';
import { readHeldout } from '../support/heldout.ts';
import { refusalOf } from '../support/refusal.ts';
import { until } from '../support/until.ts';

/** Bytes of log: more than a pipe can buffer. */
const LINES = 700;
const [input] = readHeldout();

let child: ChildProcess;

afterEach(() => {
  child.kill('SIGKILL');
});

/** At each signal the router writes a line. */
async function makeItLog(lines: number): Promise<void> {
  for (let line = 0; line < lines; line += 1) {
    child.kill(line % 2 === 0 ? 'SIGUSR1' : 'SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe('a router whose log', () => {
  it.each([
    ['is not read any more', (stream: NonNullable<ChildProcess['stdout']>) => void stream.pause()],
    ['has lost its reader', (stream: NonNullable<ChildProcess['stdout']>) => void stream.destroy()],
  ])('%s answers, and stops at SIGTERM', async (_, end) => {
    const [port] = await freePorts(1);
    const args = ['services/start.ts', '--listen', `127.0.0.1:${port}`, '--http', 'off', '--engines', '0'];
    child = spawn(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = once(child, 'exit');
    await once(child.stdout!, 'data');
    for (const stream of [child.stdout!, child.stderr!]) end(stream);
    await makeItLog(LINES);
    const caller = callRouter(`127.0.0.1:${port}`);
    const tensor = { shape: [768], dtype: 'FP32', data: input!.data };
    const ask = (): Promise<unknown> => caller.reason({ tensor }, { deadline: Date.now() + 1_000 });
    try {
      await until(async () => (await refusalOf(ask())).code === 'OK', { what: 'an answer', timeoutMs: 10_000 });
    } finally {
      caller.close();
    }
    child.kill('SIGTERM');
    const [code] = (await exited) as [number | null];
    expect(code).toBe(0);
  });
});
