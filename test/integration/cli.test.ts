import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readHeldout } from '../support/heldout.ts';
import { type Finished, run } from '../support/process.ts';
import { startSidecar } from '../support/sidecar.ts';
import { type System, startSystem } from '../support/system.ts';
import { SUPERSENSE } from '../support/models.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  await system.stop();
});

function tandem(args: string[], stdin = ''): Promise<Finished> {
  return run('services/cli/main.ts', [...args, '--address', system.address, '--admin', system.adminAddress], { stdin })
    .finished;
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

  it('reason --cache sets the use of the result cache, and the answer shows the result', async () => {
    await tandem(['reason', '--sample', 'piano']);
    expect((await tandem(['reason', '--sample', 'piano'])).stdout).toMatch(/cache HIT .* · grade SINGLE/);
    expect((await tandem(['reason', '--sample', 'piano', '--cache', 'bypass'])).stdout).toMatch(/cache BYPASSED/);
    expect((await tandem(['reason', '--sample', 'piano', '--cache', 'refresh'])).stdout).toMatch(/cache MISS/);
  });

  it('reason --strategy REDUNDANT shows the ballots, which agree exactly', async () => {
    const { stdout } = await tandem(['reason', '--sample', 'dog', '--strategy', 'REDUNDANT', '--cache', 'bypass']);
    expect(stdout).toMatch(/grade UNANIMOUS/);
    const digest = /digest ([0-9a-f]{16})/.exec(stdout)?.[1] ?? '';
    expect(stdout.split('\n').filter((line) => new RegExp(`agreed +${digest}`).test(line))).toHaveLength(3);
  });

  it('reason --detail layers shows the spikes of each layer at each step, --detail raster those of each neuron', async () => {
    const { stdout: layers } = await tandem(['reason', '--sample', 'dog', '--detail', 'layers']);
    expect(layers).toMatch(
      /LAYER +NEURONS +SPIKES +FIRING +SPIKES AT EACH OF 16 STEPS\n\S+ +\d+ +\d+ +[\d.]+ % +[▁-█]{16}\n/,
    );
    expect(layers).not.toContain('a row');
    const { stdout: raster } = await tandem(['reason', '--sample', 'dog', '--detail', 'raster']);
    expect(raster).toMatch(/neurons? a row, 1 step a column\n +0 │[ ░▒▓█]{16}│\n/);
    const { stdout: json } = await tandem(['reason', '--sample', 'dog', '--detail', 'raster', '--json']);
    const [layer] = (
      JSON.parse(json) as { layers: { spikesPerStep: number[]; spikes: string; eventSteps: number[] }[] }
    ).layers;
    expect([layer!.spikesPerStep.length, layer!.eventSteps.length]).toEqual([16, Number(layer!.spikes)]);
  });

  it('metrics counts requests', async () => {
    expect((await tandem(['metrics'])).stdout).toMatch(/\nReason +\d+/);
  });

  it('batch answers samples, in their order', async () => {
    const { stdout, stderr, code } = await tandem(['batch', '--sample', 'dog', '--sample', 'bread']);
    expect(stdout).toMatch(/^ID .*\ndog +noun\.animal +[\d.]+ % .*\nbread +noun\.food /);
    expect([stderr, code]).toEqual([expect.stringMatching(/^answered 2, failed 0/), 0]);
  });

  it.each(['batch', 'stream'])('%s answers each line, also bad ones', async (command) => {
    const list = JSON.stringify(numbers());
    const lines = Array.from({ length: 300 }, (_, k) =>
      k === 4 ? '[1, 2, 3]' : `{"id": "line ${k}", "encoding": ${list}}`,
    );
    const { stdout, stderr, code } = await tandem([command, '-', '--json'], lines.join('\n'));
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { requestId: string; error?: object });
    expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(300);
    expect(answers.filter(({ error }) => error)).toEqual([
      {
        requestId: '5',
        error: expect.objectContaining({ reason: 'INPUT_LENGTH', field: 'encoding' }) as unknown,
        ...(command === 'stream' && { processingTimeMs: expect.any(Number) as unknown }),
      },
    ]);
    expect([stderr, code]).toEqual([expect.stringMatching(/^answered 299, failed 1/), 1]);
  });

  it('batch says what to do if its calls are larger than the router’s limit', async () => {
    const { stderr, code } = await tandem(['batch', '-', '--chunk', '2000'], '[1]\n'.repeat(1_500));
    expect([stderr, code]).toEqual([expect.stringMatching(/BATCH_TOO_LARGE/), 1]);
  });

  it('engines drain and readmit change which engines get requests', async () => {
    expect((await tandem(['engines', 'drain', 'engine-1'])).stdout).toMatch(/^engine-1 is sent no more requests/);
    expect((await tandem(['engines'])).stdout).toMatch(/engine-1 +sidecar .* draining +closed/);
    expect((await tandem(['engines', 'readmit', 'engine-1'])).stdout).toMatch(/engine-1 +sidecar .* ready +closed/);
  });

  it('engines register and remove change the pool', async () => {
    const extra = await startSidecar(SUPERSENSE);
    expect((await tandem(['engines', 'register', 'extra', extra.address])).stdout).toMatch(/extra +sidecar .* ready/);
    expect((await tandem(['engines', 'remove', 'extra'])).stdout).toMatch(/^extra is forgotten/);
    const gone = await tandem(['engines', 'remove', 'extra']);
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringMatching(/UNKNOWN_ENGINE.*local, engine-1, engine-2/)]);
    await extra.stop();
  });

  it('engines register refuses a process that is in the pool, and names it', async () => {
    const { address } = system.pool.engines.find(({ id }) => id === 'engine-1')!.engine;
    const { stderr, code } = await tandem(['engines', 'register', 'again', address]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/ENGINE_EXISTS.*engine-1/)]);
  });

  it('engines strategy shows the new one and the previous one', async () => {
    expect((await tandem(['engines', 'strategy', 'FASTEST'])).stdout).toBe('strategy FASTEST, before ROUND_ROBIN\n');
    expect((await tandem(['engines'])).stdout).toMatch(/\nstrategy FASTEST\n$/);
    await tandem(['engines', 'strategy', 'ROUND_ROBIN']);
  });

  it('models and engines show tables for people and JSON for programs', async () => {
    expect((await tandem(['models'])).stdout).toMatch(
      /MODEL +VERSION[^\n]*\n[^\n]*supersense \(default\) +1 \(latest\) +served +constant \[768\] +45/,
    );
    expect((await tandem(['engines'])).stdout).toMatch(/engine-1 +sidecar .* ready +closed +supersense\/1/);
    expect(JSON.parse((await tandem(['engines', '--json'])).stdout)).toMatchObject({
      engines: [{ id: 'local' }, {}, {}],
    });
  });

  it('exits with 1 and the field when the router refuses', async () => {
    const finished = await tandem(['reason', '-'], '[1, 2, 3]');
    expect(finished.code).toBe(1);
    expect(finished.stderr).toBe(
      'tandem: INVALID_ARGUMENT (INPUT_LENGTH): got 3 numbers; send 768 numbers\n  field: standard input\n',
    );
  });

  // All wrong calls, in the test's own process: wrong-calls.test.ts here and in services/cli.
  it('exits with 2 on wrong usage', async () => {
    const finished = await tandem(['raeson']);
    expect([finished.code, finished.stderr]).toEqual([
      2,
      expect.stringMatching(/unknown command 'raeson'.*\n.*reason/),
    ]);
  });

  it('exits with 3 and how to start a router if none answers', async () => {
    const finished = await run('services/cli/main.ts', ['ping', '--address', '127.0.0.1:1']).finished;
    expect([finished.code, finished.stderr]).toEqual([
      3,
      expect.stringMatching(/no router answers at 127\.0\.0\.1:1; start one with "npm start"/),
    ]);
  });

  it('explains itself', async () => {
    const finished = await tandem(['--help']);
    expect([finished.code, finished.stdout]).toEqual([
      0,
      expect.stringMatching(/Usage: tandem[^]*Exit codes: 0 answered/),
    ]);
  });
});
