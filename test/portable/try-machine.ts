// All tests on one machine.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { readGolden } from '../../services/models/golden.ts';
import { type Tally, compareCases } from '../fuzz/compare.ts';
import type { FuzzCase } from '../fuzz/generate.ts';
import { startSidecar } from '../support/sidecar.ts';
import { type Machine, engineCommand } from './machines.ts';

const exec = promisify(execFile);

const MODEL = 'supersense';
const FOLDER = fileURLToPath(new URL(`../../deploy/models/${MODEL}`, import.meta.url));
const GOLDEN = readGolden({ path: FOLDER, versionPath: `${FOLDER}/1`, version: 1 }, 'golden.json');

/** Of the image, not of this clone. */
const IMAGE_MODELS = '/models';

/** Time limit with emulation, on a busy machine. */
const INFER_TIMEOUT_MS = 60_000;

export interface Trial {
  /** The engine's choice. */
  readonly simd: string;
  readonly golden: Count;
  /** Pairs of random network and input. */
  readonly random: Count;
  /** The faults. */
  readonly faults: readonly string[];
}

export interface Count {
  readonly equal: number;
  readonly of: number;
}

export async function tryMachine(machine: Machine, cases: readonly FuzzCase[]): Promise<Trial> {
  const faults: string[] = [];
  const run = async (...args: string[]): Promise<string> => {
    const [file, ...before] = engineCommand(machine);
    try {
      return (await exec(file, [...before, ...args])).stdout;
    } catch (error) {
      faults.push(`tandem-engine ${args.join(' ')}: ${(error as Error).message}`);
      return '';
    }
  };

  // "tandem-engine 0.1.0 gcc-12.2 arm64 neon". Without an instruction set that was forced: that is for serving.
  const version = await run('--version');
  const [, , , arch] = version.trim().split(' ');
  if (arch !== machine.arch) faults.push(`--version says "${version.trim()}", not ${machine.arch}`);

  // By the child process that reads HDF5.
  await run('check', `${IMAGE_MODELS}/${MODEL}/1/model.nir`);

  const { simd, golden } = await askGolden(machine, run, faults);
  if (machine.simd !== undefined && simd !== machine.simd) faults.push(`it chose ${simd}, not ${machine.simd}`);

  const tally: Tally = { pairs: 0, failed: 0, refused: 0, differences: [] };
  await compareCases(cases, tally, { command: engineCommand(machine) });
  for (const { fuzzCase, input, local, sidecar } of tally.differences) {
    faults.push(`seed ${fuzzCase.seed}, input ${input}:\n  TypeScript: ${local}\n  C++:        ${sidecar}`);
  }
  return { simd, golden, random: { equal: tally.pairs - tally.differences.length, of: tally.pairs }, faults };
}

/** Sends every input with known digests to the image's shipped model. */
async function askGolden(
  machine: Machine,
  run: (...args: string[]) => Promise<string>,
  faults: string[],
): Promise<{ simd: string; golden: Count }> {
  const process = await startSidecar(IMAGE_MODELS, { command: engineCommand(machine) });
  const engine = new SidecarEngine('sidecar', process.address, INFER_TIMEOUT_MS);
  let equal = 0;
  try {
    await engine.start();
    const simd = engine.description?.build.split(' ').at(-1) ?? '';
    await run('--check-health', process.address);
    for (const { name, data, stateDigest, readoutDigest } of GOLDEN) {
      const context = { deadlineMs: Infinity, signal: AbortSignal.timeout(INFER_TIMEOUT_MS) };
      const input = { model: MODEL, version: 1, shape: [data.length / 4], data };
      try {
        const answer = await engine.infer(input, context);
        if (answer.stateDigest === stateDigest && answer.readoutDigest === readoutDigest) equal += 1;
        else faults.push(`${name}: digest ${answer.stateDigest.toString(16)}, not ${stateDigest.toString(16)}`);
      } catch (error) {
        faults.push(`${name}: ${(error as Error).message}`);
      }
    }
    return { simd, golden: { equal, of: GOLDEN.length } };
  } finally {
    await engine.stop();
    await process.stop();
  }
}
