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

describe('a lock of a process', () => {
  it('is held by one at a time, and names its holder', () => {
    const first = lockForProcess(path);
    expect([first.heldBy, lockForProcess(path).heldBy]).toEqual([0, process.pid]);
    first.release();
    expect(lockForProcess(path).heldBy).toBe(0);
  });

  it('leaves no file behind', () => {
    lockForProcess(path).release();
    expect(readdirSync(join(dir, 'state'))).toEqual([]);
  });

  it('that is not ours is not released by us', () => {
    lockForProcess(path);
    lockForProcess(path).release();
    expect(existsSync(`${path}.lock`)).toBe(true);
  });

  it('of a process that has ended is free', () => {
    const { pid } = spawnSync('true');
    lockForProcess(path);
    writeFileSync(`${path}.lock`, `${pid} 1`);
    expect(lockForProcess(path).heldBy).toBe(0);
  });

  it('of an ended process whose number another one has is free', () => {
    lockForProcess(path);
    writeFileSync(`${path}.lock`, `${process.pid} 1`);
    expect(lockForProcess(path).heldBy).toBe(0);
  });

  it.each(['', 'no lock', '0 0', '-1 1', 'x'.repeat(1_000)])('with damaged content %.10j is free', (content) => {
    lockForProcess(path);
    writeFileSync(`${path}.lock`, content);
    expect(lockForProcess(path).heldBy).toBe(0);
    expect(readFileSync(`${path}.lock`, 'utf8')).toContain(`${process.pid} `);
  });

  it('is ours without a file where none can be written', () => {
    writeFileSync(join(dir, 'file'), '');
    expect(lockForProcess(join(dir, 'file', 'below')).heldBy).toBe(0);
  });
});
