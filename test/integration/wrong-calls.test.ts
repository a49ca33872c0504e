// Refusals of a router, as `npx tandem` prints them: the reason, what to do, and the user's argument. Calls that never
// reach a router are in services/cli/wrong-calls.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CliCall, callTandem } from '../support/cli-call.ts';
import { type System, startSystem } from '../support/system.ts';

const folder = mkdtempSync(join(tmpdir(), 'tandem-refused-'));
let system: System;

beforeAll(async () => {
  system = await startSystem({ spawn: { count: 0 } });
});

afterAll(async () => {
  await system.stop();
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function tandem(words: readonly string[]): Promise<CliCall> {
  return callTandem([...words, '--address', system.address, '--admin', system.adminAddress]);
}

const SHORT = file('short.json', '[1, 2, 3]');
const NAN = file('nan.txt', `nan ${'0 '.repeat(767)}`);
const REQUEST = file('request.json', '{"encoding": [1, 2, 3], "model": "supersense"}');

const REFUSED: [words: string[], message: RegExp][] = [
  [['reason', SHORT], /INPUT_LENGTH\): got 3 numbers; send 768 numbers\n {2}field: \S+short\.json$/m],
  [['reason', NAN], /INPUT_NOT_FINITE\).*\n {2}field: \S+nan\.txt$/m],
  [['reason', REQUEST], /INPUT_LENGTH\): got 3 numbers.*\n {2}field: encoding$/m],
  [['reason', 'a cat', '--model', 'supersense'], /TEXT_UNSUPPORTED\).*\n {2}field: the text$/m],
  [['reason', '--sample', 'dog', '--model', 'ghost'], /UNKNOWN_MODEL\).*ghost.*\n {2}field: --model$/m],
  [['reason', '--sample', 'dog', '--model-version', '9'], /UNKNOWN_MODEL\).*9.*\n {2}field: --model-version$/m],
  [
    ['reason', '--sample', 'dog', '--session', 's', '--expected-step', '5'],
    /SESSION_UNKNOWN\).*\n {2}field: --session$/m,
  ],
  [['reason', '--sample', 'dog', '--session', 'x'.repeat(200)], /INVALID_FIELD\).*\n {2}field: --session$/m],
  [['vote', '--sample', 'dog', '--participants', '9'], /VOTE_TOO_FEW\)/],
  [['coordinate', '--sample', 'dog', '--teachers', 'ghost'], /UNKNOWN_MODEL\).*ghost/],
  [['engines', 'drain', 'ghost'], /UNKNOWN_ENGINE\).*ghost.*local/],
  [['engines', 'register', 'local', '127.0.0.1:1'], /ENGINE_EXISTS\)/],
  [['models', 'unload', 'ghost'], /UNKNOWN_MODEL\).*ghost/],
  [['sessions', 'end', 'ghost'], /SESSION_UNKNOWN\).*ghost/],
  [['operations', 'cancel', 'ghost'], /UNKNOWN_OPERATION\).*ghost/],
  [['query', 'why', '--corpus', 'ghost'], /UNKNOWN_CORPUS\).*ghost/],
  [['publish', 'deploy', 'done'], /INVALID_FIELD\).*user\./],
];

describe('a call that the router refuses', () => {
  it.each(REFUSED)('exits with 1, and prints the error and the user’s argument: %j', async (words, message) => {
    const { code, stderr } = await tandem(words);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  it('is printed as JSON with --json', async () => {
    const { code, stdout, stderr } = await tandem(['reason', SHORT, '--json']);
    expect([code, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr)).toEqual({
      error: {
        ...{ code: 'INVALID_ARGUMENT', reason: 'INPUT_LENGTH', message: 'got 3 numbers; send 768 numbers' },
        ...{ field: SHORT, exitCode: 1 },
      },
    });
  });
});

describe('config reload', () => {
  it('prints what has changed', async () => {
    expect(await tandem(['config', 'reload'])).toMatchObject({ code: 0, stdout: 'nothing has changed\n' });
  });
});

describe('a whole request as JSON', () => {
  it('is sent unchanged, and overrides the options', async () => {
    const request = {
      encoding: Array.from({ length: 768 }, () => 0.03),
      cache: 'CACHE_MODE_BYPASS',
      request_id: 'mine',
    };
    const words = ['reason', file('whole.json', JSON.stringify(request)), '--json', '--cache', 'refresh'];
    const { code, stdout } = await tandem(words);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ requestId: 'mine', cache: 'CACHE_STATUS_BYPASSED' }),
    ]);
  });
});
