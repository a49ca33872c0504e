import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EDGES, type Served, serve } from '../../test/support/serve.ts';

let path: string;
let servers: Served[];

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'tandem-bind-')), 'router.sock');
  servers = [];
});

afterEach(() => servers.forEach((server) => server.stop()));

describe.each(EDGES)('a Unix socket on edge %s', (edge) => {
  async function listen(): Promise<void> {
    servers.push(await serve([], edge, { listen: `unix:${path}` }));
  }

  it('is replaced if a killed process left it', async () => {
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(true);
    await listen();
  });

  it('is not taken from a process that listens on it', async () => {
    await listen();
    await expect(listen()).rejects.toThrow(`cannot listen on unix:${path}`);
  });

  it.each([
    ['a regular file', () => writeFileSync(path, 'precious')],
    ['a folder', () => mkdirSync(path)],
    ['a symbolic link', () => symlinkSync('nowhere', path)],
  ])('does not replace %s, and the error names it', async (what, put) => {
    put();
    const message = `cannot listen on unix:${path}: ${what} is there; remove it, or choose another path`;
    await expect(listen()).rejects.toThrow(message);
    expect(lstatSync(path).isSocket()).toBe(false);
  });
});
