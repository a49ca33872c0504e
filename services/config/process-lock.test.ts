import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { lockForProcess } from './process-lock.ts';

let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-lock-'));
  path = join(dir, 'state', 'file');
});

describe('lockForProcess', () => {
  it('gives the lock to one holder at a time and returns its process id', () => {
    const first = lockForProcess(path);
    expect([first.heldBy, lockForProcess(path).heldBy]).toEqual([0, process.pid]);
    first.release();
    expect(lockForProcess(path).heldBy).toBe(0);
  });

  it('leaves no file after release', () => {
    lockForProcess(path).release();
    expect(readdirSync(join(dir, 'state'))).toEqual([]);
  });

  it('does not release the lock of another holder', () => {
    lockForProcess(path);
    lockForProcess(path).release();
    expect(existsSync(`${path}.lock`)).toBe(true);
  });

  it('takes the lock of a process that has ended', () => {
    const { pid } = spawnSync('true');
    lockForProcess(path);
    writeFileSync(`${path}.lock`, `${pid} 1`);
    expect(lockForProcess(path).heldBy).toBe(0);
  });

  it('takes the lock of an ended process if another process has its id now', () => {
    lockForProcess(path);
    writeFileSync(`${path}.lock`, `${process.pid} 1`);
    expect(lockForProcess(path).heldBy).toBe(0);
  });

  it.each(['', 'no lock', '0 0', '-1 1', 'x'.repeat(1_000)])('takes a lock with damaged content %.10j', (content) => {
    lockForProcess(path);
    writeFileSync(`${path}.lock`, content);
    expect(lockForProcess(path).heldBy).toBe(0);
    expect(readFileSync(`${path}.lock`, 'utf8')).toContain(`${process.pid} `);
  });

  it('succeeds without a file if none can be written', () => {
    writeFileSync(join(dir, 'file'), '');
    expect(lockForProcess(join(dir, 'file', 'below')).heldBy).toBe(0);
  });
});
