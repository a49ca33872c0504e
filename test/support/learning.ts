// Students for tests: random examples, and a publisher that records.
import type { Example, StudentSpec } from '../../services/learning/learner.ts';
import type { ModelFiles } from '../../services/learning/student-nir.ts';
import type { PublishedFiles, Publisher, StudentParts } from '../../services/learning/student.ts';

export function studentSpec(over: Partial<StudentSpec> = {}): StudentSpec {
  return {
    ...{ student: 's', base: '', teachers: ['a/1', 'b/1', 'liar/1'], labels: ['x', 'y', 'z'] },
    ...{ features: 5, rate: 0.5, heldOutEvery: 5 },
    ...over,
  };
}

/** From 0 to below 1, equal for equal seeds: Mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The label is the largest of the first features. Two teachers are usually right, and the last one is always wrong. */
export function randomExamples(count: number, seed: number, spec = studentSpec()): Example[] {
  const random = randomOf(seed);
  const { features, labels, teachers } = spec;
  return Array.from({ length: count }, () => {
    const numbers = Float32Array.from({ length: features }, () => random() * 2 - 1);
    const label = numbers.subarray(0, labels.length).indexOf(Math.max(...numbers.subarray(0, labels.length)));
    const scores = teachers.map((teacher) => {
      if (random() < 0.1) return undefined;
      const isRight = !teacher.startsWith('liar') && random() < 0.8;
      const said = isRight ? label : (label + 1) % labels.length;
      const left = random();
      return Float32Array.from(labels, (_, k) => (k === said ? 1 - left / 2 : left / 2 / (labels.length - 1)));
    });
    return { features: numbers, label: random() < 0.3 ? undefined : label, scores };
  });
}

export class FakePublisher implements Publisher {
  /** By "name/version". */
  readonly versions = new Map<string, { files: PublishedFiles; isServed: boolean }>();
  /** The results of the next loads. */
  failure: Error | undefined;

  async load({ name, version, files }: Parameters<Publisher['load']>[0]): Promise<void> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    const known = this.versions.get(`${name}/${version}`);
    this.versions.set(`${name}/${version}`, { files: (files ?? known?.files)!, isServed: true });
  }

  async unload(name: string, version: number): Promise<void> {
    await Promise.resolve();
    this.versions.get(`${name}/${version}`)!.isServed = false;
  }

  versionsOf(name: string): { version: number; isServed: boolean }[] {
    const own = [...this.versions].filter(([key]) => key.startsWith(`${name}/`));
    return own.map(([key, { isServed }]) => ({ version: Number(key.split('/')[1]), isServed }));
  }
}

export function studentParts(dir: string, publisher: FakePublisher, over: Partial<StudentParts> = {}): StudentParts {
  return {
    ...{ dir, publisher, maxLogBytes: 1e9, tell: () => undefined },
    versionsOf: (name) => publisher.versionsOf(name),
    filesOf: (): ModelFiles => {
      throw new Error('this student has no base');
    },
    ...over,
  };
}
