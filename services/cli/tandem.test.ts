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

it('tandem runs from any folder', () => {
  const { status, stderr } = tandem(process.execPath);
  expect([status, stderr]).toEqual([3, expect.stringContaining('no router answers at 127.0.0.1:1')]);
});

it('tandem loads only the packages of the called command', () => {
  const reporter = `
    import { registerHooks } from 'node:module';
    const packages = new Set();
    registerHooks({
      load(url, context, next) {
        packages.add(/node_modules\\/((@[^/]+\\/)?[^/]+)/.exec(url)?.[1]);
        return next(url, context);
      },
    });
    process.on('exit', () => console.log(JSON.stringify([...packages].filter(Boolean).sort())));`;
  const main = join(import.meta.dirname, 'main.ts');
  const { stdout } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(reporter)}`, main, 'ping', '--address', '127.0.0.1:1'],
    { encoding: 'utf8' },
  );
  expect(JSON.parse(stdout)).toEqual(['@bufbuild/protobuf', '@grpc/grpc-js', '@js-sdsl/ordered-map', 'commander']);
});

// Used if the machine has another Node.js than that of node_modules.
const OLDER = '/usr/bin/node';
const isOlder = /^v2[01]\./.test(spawnSync(OLDER, ['--version'], { encoding: 'utf8' }).stdout);
(isOlder ? it : it.skip)('tandem starts the Node.js of node_modules if its own cannot run TypeScript', () => {
  const { status, stderr } = tandem(OLDER);
  expect([status, stderr]).toEqual([3, expect.stringContaining('no router answers at 127.0.0.1:1')]);
});
