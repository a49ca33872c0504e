import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import { Supervisor } from './supervisor.ts';

let dir: string;
let notes: string[];
let supervisor: Supervisor;

/** Supervises a shell script, which is given the sidecar's arguments. */
function supervise(script: string): void {
  const binary = join(dir, 'sidecar');
  writeFileSync(binary, `#!/bin/sh\n${script}\n`);
  chmodSync(binary, 0o755);
  supervisor = new Supervisor(
    { id: 'engine-1', address: '127.0.0.1:1', binary, args: ['--extra'] },
    {
      line: (id, line) => notes.push(`${id} ${line}`),
      started: (id) => notes.push(`${id} started`),
      exited: (id, why, restartInMs) => notes.push(`${id} ${why}, again in ${restartInMs} ms`),
    },
  );
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-supervisor-'));
  notes = [];
});

afterEach(async () => {
  await supervisor.stop(100);
  rmSync(dir, { recursive: true, force: true });
});

describe('Supervisor', () => {
  it('starts the sidecar with its id and address, and it is there once it writes that it is ready', async () => {
    supervise('echo "$@" >&2; echo ready; exec sleep 60');
    expect(supervisor.whyAway).toBe('its process has not started');
    await supervisor.start();
    await until(() => notes.length === 2, { what: 'its line' });
    expect(notes).toEqual([
      'engine-1 started',
      `engine-1 --id engine-1 --listen 127.0.0.1:1 --exit-with-parent=${process.pid} --extra`,
    ]);
    expect(supervisor.whyAway).toBe('');
  });

  it('starts it again when it exits, each time after twice as long, and reports the cause', async () => {
    supervise('echo "tandem-engine: no model" >&2; exit 3');
    await supervisor.start();
    await until(() => notes.filter((note) => note.includes('again')).length === 3, { what: 'three exits' });
    expect(notes.filter((note) => note.includes('again'))).toEqual(
      [100, 200, 400].map((ms) => `engine-1 exit code 3, again in ${ms} ms`),
    );
    expect(supervisor.whyAway).toBe('its process has ended: exit code 3: no model');
  });

  it('reports the signal that ended it', async () => {
    supervise('kill -9 $$');
    await supervisor.start();
    expect(notes).toContain('engine-1 signal SIGKILL, again in 100 ms');
  });

  it('reports a program that does not exist', async () => {
    supervise('');
    rmSync(join(dir, 'sidecar'));
    await supervisor.start();
    expect(notes).toEqual([expect.stringMatching(/^engine-1 spawn .* ENOENT, again in 100 ms$/)]);
  });

  it('kills a sidecar that does not stop, and does not start it again', async () => {
    supervise('trap "" TERM; echo ready; while :; do sleep 0.05; done');
    await supervisor.start();
    const { pid } = supervisor;
    await supervisor.stop(50);
    expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
    expect(notes).toEqual(['engine-1 started']);
  });
});
