import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readHeldout } from '../support/heldout.ts';
import { type Finished, run } from '../support/process.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  await system.stop();
});

function tandem(args: string[], stdin = ''): Promise<Finished> {
  return run('services/cli/main.ts', [...args, '--address', system.address], { stdin }).finished;
}

const numbers = (): number[] => {
  const data = readHeldout()[0]?.data ?? Buffer.alloc(0);
  return Array.from({ length: 768 }, (_, k) => data.readFloatLE(k * 4));
};

describe('npx tandem', () => {
  it('ping', async () => {
    expect((await tandem(['ping'])).stdout).toMatch(/^pong from 127\.0\.0\.1:\d+ in [\d.]+ ms/);
  });

  it('reason shows a sample’s text, label, confidence and spikes', async () => {
    const { code, stdout } = await tandem(['reason', '--sample', 'dog']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/“.+”\n\nnoun\.animal, confidence [\d.]+ %/);
    expect(stdout).toMatch(/noun\.animal +[\d.]+ % .* \d+ spikes/);
    expect(stdout).toMatch(/digest [0-9a-f]{16}/);
  });

  it('reason --json reads numbers from standard input', async () => {
    const { stdout } = await tandem(['reason', '-', '--json'], JSON.stringify(numbers()));
    expect(JSON.parse(stdout)).toMatchObject({ model: 'supersense', steps: 16, attempts: [{ outcome: 'OK' }] });
  });

  it('models and engines show tables for people and JSON for programs', async () => {
    expect((await tandem(['models'])).stdout).toMatch(
      /MODEL +VERSION[^\n]*\n[^\n]*supersense \(default\) +1 +constant \[768\] +45/,
    );
    expect((await tandem(['engines'])).stdout).toMatch(/engine-1 +sidecar .* ready +supersense\/1/);
    expect(JSON.parse((await tandem(['engines', '--json'])).stdout)).toMatchObject({
      engines: [{ id: 'local' }, {}, {}],
    });
  });

  it('exits with 1 and the field when the router refuses', async () => {
    const finished = await tandem(['reason', '-'], '[1, 2, 3]');
    expect(finished.code).toBe(1);
    expect(finished.stderr).toBe(
      'tandem: INVALID_ARGUMENT (INPUT_LENGTH): got 3 numbers; send 768 numbers\n  field: tensor.shape\n',
    );
  });

  it.each([
    [['reason'], /give either a file/],
    [['reason', '--sample', 'unicorn'], /there is no sample "unicorn"; there are: .*dog/],
    [['reason', '/no/such/file'], /cannot read "\/no\/such\/file"/],
    [['raeson'], /unknown command 'raeson'.*\n.*reason/],
    [['reason', '-s', 'dog', '--strategy', 'LUCK'], /LUCK.*ROUND_ROBIN, LOCAL_FIRST/],
  ])('exits with 2 on wrong usage: %j', async (args, message) => {
    const finished = await tandem(args);
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(2);
  });

  it('exits with 3 and how to start one where no router answers', async () => {
    const finished = await run('services/cli/main.ts', ['ping', '--address', '127.0.0.1:1']).finished;
    expect([finished.code, finished.stderr]).toEqual([
      3,
      expect.stringMatching(/no router answers at 127\.0\.0\.1:1; start one with "npm start"/),
    ]);
  });

  it.each([[], ['ping'], ['reason'], ['models'], ['engines']])('explains itself: %s --help', async (...args) => {
    const finished = await tandem([...args.filter(Boolean), '--help']);
    expect([finished.code, finished.stdout]).toEqual([0, expect.stringMatching(/Usage: tandem/)]);
  });
});
