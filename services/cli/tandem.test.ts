import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const TANDEM = join(import.meta.dirname, 'tandem.js');

function tandem(node: string): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(node, [TANDEM, 'ping', '--address', '127.0.0.1:1'], {
    cwd: tmpdir(),
    encoding: 'utf8',
  });
  return { status, stderr };
}

it('runs from any folder', () => {
  const { status, stderr } = tandem(process.execPath);
  expect([status, stderr]).toEqual([3, expect.stringContaining('no router answers at 127.0.0.1:1')]);
});

// Where the machine has one beside that of node_modules.
const OLDER = '/usr/bin/node';
const isOlder = /^v2[01]\./.test(spawnSync(OLDER, ['--version'], { encoding: 'utf8' }).stdout);
(isOlder ? it : it.skip)('hands over to the Node.js of node_modules where its own cannot run TypeScript', () => {
  const { status, stderr } = tandem(OLDER);
  expect([status, stderr]).toEqual([3, expect.stringContaining('no router answers at 127.0.0.1:1')]);
});
