import { describe, expect, it } from '@jest/globals';
import { version } from '../../test/fakes/router-parts.ts';
import { matrix, writeNir } from '../../test/support/nir-writer.ts';
import { chain, node } from '../../test/support/run-network.ts';
import { parseManifest } from '../config/manifest.ts';
import { RouterError } from '../core/errors.ts';
import { LearnStart } from '../generated/tandem/v1/learning.ts';
import type { LearnPlan } from '../learning/learn-session.ts';
import type { ModelFiles } from '../learning/student-nir.ts';
import { toPlan } from './learn-plan.ts';

const LABELS = ['yes', 'no'];

function files(readout: string): ModelFiles {
  const lif = node('LIF', { tau: [2, 3], r: [4, 5], v_leak: [0, 0], v_threshold: [1, 1] });
  const dense = node('Linear', { weight: matrix([1, 2, 0], [0, -1, 1]) });
  return {
    nir: writeNir(chain(3, 2, { dense, lif })),
    manifest: parseManifest(`dt: 1\nsteps: 8\nreadout: {from: ${readout}}`),
    tokenizer: undefined,
  };
}

/** `readout`: of the base. */
function plan(over: Partial<LearnStart>, readout = 'spike_count'): Promise<LearnPlan> {
  return toPlan(LearnStart.fromPartial({ student: 's', ...(over.teachers ? {} : { labels: LABELS }), ...over }), {
    findVersion: (name, number) => version(number || 3, { name }),
    filesOf: (model) => {
      expect(model).toBe('base/3');
      return files(readout);
    },
  });
}

const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `label ${n}`);

describe('toPlan', () => {
  it('has defaults for what the caller leaves out', async () => {
    expect(await plan({})).toEqual({
      ...{ student: 's', base: '', commitEvery: 0, rate: 0.5, heldOutEvery: 5 },
      teachers: { labels: LABELS, teachers: [] },
    });
  });

  it('takes the values of the caller', async () => {
    const values = { learningRate: 16, heldOutEvery: 1_000, commitEvery: 7 };
    expect(await plan(values)).toMatchObject({ rate: 16, heldOutEvery: 1_000, commitEvery: 7 });
    expect(await plan({ learningRate: 0.25, heldOutEvery: 2 })).toMatchObject({ rate: 0.25, heldOutEvery: 2 });
  });

  it('has the teachers and their labels', async () => {
    const { teachers } = await plan({ teachers: ['a', 'b/2'] });
    expect(teachers.labels).toEqual(LABELS);
    expect(teachers.teachers.map(({ version: { name, version: number } }) => [name, number])).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
  });

  it('has the version of the base', async () => {
    expect((await plan({ base: 'base' })).base).toBe('base/3');
  });

  it.each([
    ['2 labels', LABELS],
    ['4,096 labels', many(4_096)],
  ])('takes %s without teachers', async (_, labels) => {
    expect((await plan({ labels })).teachers.labels).toEqual(labels);
  });

  it.each<[string, Partial<LearnStart>, string]>([
    ['a negative learning rate', { learningRate: -0.1 }, 'start.learning_rate'],
    ['a learning rate that is no number', { learningRate: NaN }, 'start.learning_rate'],
    ['a large learning rate', { learningRate: 16.1 }, 'start.learning_rate'],
    ['to hold out all', { heldOutEvery: 1 }, 'start.held_out_every'],
    ['to hold out too few', { heldOutEvery: 1_001 }, 'start.held_out_every'],
    ['no labels', { labels: [] }, 'start.labels'],
    ['one label', { labels: ['yes'] }, 'start.labels'],
    ['4,097 labels', { labels: many(4_097) }, 'start.labels'],
    ['an empty label', { labels: ['yes', ''] }, 'start.labels'],
    ['equal labels', { labels: ['yes', 'no', 'yes'] }, 'start.labels'],
    ['labels beside teachers', { teachers: ['a'], labels: LABELS }, 'start.labels'],
    ['one label beside teachers', { teachers: ['a'], labels: ['yes'] }, 'start.labels'],
    ['17 teachers', { teachers: many(17) }, 'start.teachers'],
  ])('refuses %s', async (_, over, field) => {
    await expect(plan(over)).rejects.toMatchObject({ kind: 'INVALID_FIELD', violation: { field } });
  });

  it('refuses a base that cannot have students', async () => {
    const refused = plan({ base: 'base' }, 'last_potential');
    await expect(refused).rejects.toThrow(RouterError);
    await expect(refused).rejects.toMatchObject({ violation: { field: 'start.base' } });
  });
});
