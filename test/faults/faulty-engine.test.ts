// The test build has switchable faults; no other build has them.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { CallContext, Inference } from '../../services/core/inference.ts';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { readHeldout } from '../support/heldout.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

const BUILD = 'sidecar-cpp/build/release';
const ORDINARY = join(BUILD, 'tandem-engine');
const FAULTY = join(BUILD, 'tandem-engine-faulty');
const CONTEXT: CallContext = { deadlineMs: Infinity, signal: new AbortController().signal };
const inputs = readHeldout()
  .slice(0, 100)
  .map(({ data }) => ({ model: 'supersense', version: 1, shape: [768], data }));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code?: number;
}

async function run(binary: string, ...args: string[]): Promise<Ended> {
  return await promisify(execFile)(binary, args).catch((error: unknown) => error as Ended);
}

describe('tandem-engine', () => {
  it('knows no faults', async () => {
    expect(readFileSync(ORDINARY).includes('--fault')).toBe(false);
    expect((await run(ORDINARY, '--help')).stdout).not.toContain('fault SPEC');
    const refused = await run(ORDINARY, '--fault', 'runs=1');
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('--fault');
  });
});

describe('tandem-engine-faulty', () => {
  let sidecar: RunningSidecar | undefined;
  let truths: Inference[];

  beforeAll(async () => {
    truths = await answersOf();
  });

  afterEach(async () => {
    await sidecar?.kill();
  });

  async function answersOf(...args: string[]): Promise<Inference[]> {
    process.env['TANDEM_ENGINE_BIN'] = FAULTY;
    sidecar = await startSidecar(SUPERSENSE, { args });
    const engine = new SidecarEngine('engine-1', sidecar.address);
    await engine.start();
    const answers = await Promise.all(inputs.map((input) => engine.infer(input, CONTEXT)));
    await engine.stop();
    await sidecar.kill();
    return answers;
  }

  /** Of 100. */
  function changed(answers: readonly Inference[], part: (answer: Inference) => unknown): number {
    return answers.filter((answer, at) => String(part(answer)) !== String(part(truths[at]!))).length;
  }

  it('has its own help, and that of tandem-engine', async () => {
    const { stdout } = await run(FAULTY, '--help');
    expect(stdout).toContain('--fault SPEC');
    expect(stdout).toContain('--listen');
    expect(readFileSync(FAULTY).includes('--fault')).toBe(true);
  });

  it('refuses faults that it does not have', async () => {
    const refused = await run(FAULTY, '--fault', 'manners=1');
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('the faults are answers=SHARE');
  });

  it.each([
    ['answers=1', { counts: 100, state: 0, readout: 0 }],
    ['runs=1', { counts: 100, state: 100, readout: 100 }],
  ])('has the fault of %s', async (fault, wrong) => {
    const answers = await answersOf('--fault', fault);
    expect(changed(answers, ({ spikeCounts }) => spikeCounts)).toBe(wrong.counts);
    expect(changed(answers, ({ stateDigest }) => stateDigest)).toBe(wrong.state);
    expect(changed(answers, ({ readoutDigest }) => readoutDigest)).toBe(wrong.readout);
  });

  it('computes a wrong result with one flipped bit of a weight, and the same one twice', async () => {
    const answers = await answersOf('--fault', 'weights=1');
    expect(changed(answers, ({ stateDigest }) => stateDigest)).toBeGreaterThan(0);
    const digests = (of: readonly Inference[]): bigint[] => of.map(({ stateDigest }) => stateDigest);
    expect(digests(await answersOf('--fault', 'weights=1'))).toEqual(digests(answers));
  });

  it('is slow from the signal on', async () => {
    process.env['TANDEM_ENGINE_BIN'] = FAULTY;
    sidecar = await startSidecar(SUPERSENSE, { args: ['--fault', 'delay_ms=300', '--faults-wait'] });
    const engine = new SidecarEngine('engine-1', sidecar.address);
    await engine.start();
    const tookMs = async (): Promise<number> => {
      const began = performance.now();
      await engine.infer(inputs[0]!, CONTEXT);
      return performance.now() - began;
    };
    await tookMs();
    expect(await tookMs()).toBeLessThan(300);
    process.kill(sidecar.pid, 'SIGHUP');
    // A signal is not immediate.
    await until(async () => (await tookMs()) >= 300, { what: 'a slow answer' });
    await engine.stop();
  });
});
