import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeInference } from '../../../test/fakes/fake-engine.ts';
import { Cancel } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import type { InferenceInput } from '../../core/inference.ts';
import type { OpenSpan } from '../../core/request-trace.ts';
import { type InferJob, JobGroup, LoneJob } from './infer-job.ts';

const INPUT: InferenceInput = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const LEFT = new RouterError('CANCELLED', 'left');

let signal: Cancel;
let abandoned: [job: InferJob, kind: string][];
/** Listeners added and removed. */
let listening: string[];
let ended: string[];

const owner = { abandon: (job: InferJob, { kind }: RouterError): void => void abandoned.push([job, kind]) };

beforeEach(() => {
  signal = new Cancel();
  [abandoned, listening, ended] = [[], [], []];
  const { addEventListener, removeEventListener } = signal;
  jest.spyOn(signal, 'addEventListener').mockImplementation((...args) => {
    listening.push('add');
    addEventListener.apply(signal, args);
  });
  jest.spyOn(signal, 'removeEventListener').mockImplementation((...args) => {
    listening.push('remove');
    removeEventListener.apply(signal, args);
  });
});

function lone(over: Partial<InferenceInput> = {}, span?: OpenSpan): LoneJob {
  return new LoneJob(
    { ...INPUT, ...over },
    { deadlineMs: Infinity, signal, span },
    owner,
    ({ steps }) => void ended.push(`answered ${steps}`),
    ({ kind }) => void ended.push(kind),
  );
}

function group(count: number): readonly InferJob[] {
  const listener = {
    answered: (index: number) => void ended.push(`${index} answered`),
    failed: (index: number, { kind }: RouterError) => void ended.push(`${index} ${kind}`),
  };
  return new JobGroup(Array<InferenceInput>(count).fill(INPUT), { deadlineMs: Infinity, signal }, owner, listener).jobs;
}

describe('a job', () => {
  it.each([
    [{}, false, false],
    [{ detail: 'SUMMARY', returnState: false }, false, false],
    [{ detail: 'LAYERS' }, true, false],
    [{ detail: 'READOUT', returnState: true }, true, true],
  ] as const)('with %j expects layers %p and a state %p', (over, withLayers, withState) => {
    expect(lone(over)).toMatchObject({ withLayers, withState, id: 0 });
  });

  it('has a maximum size for its name, span, shape, data and state', () => {
    const span = { toParentBytes: () => Buffer.alloc(25) } as unknown as OpenSpan;
    expect(lone({ model: '', shape: [], data: Buffer.alloc(0) }).maxBytes).toBe(64);
    const over = { model: 'abc', shape: [1, 2], data: Buffer.alloc(100), state: Buffer.alloc(1_000) };
    expect(lone(over, span).maxBytes).toBe(64 + 3 * 3 + 25 + 2 * 5 + 100 + 1_000);
  });
});

describe('a lone job', () => {
  it('is abandoned when its caller leaves', () => {
    const job = lone();
    job.listen();
    signal.abort(LEFT);
    expect(abandoned).toEqual([[job, 'CANCELLED']]);
  });

  it('is not abandoned before it listens or after it has stopped', () => {
    const job = lone();
    lone();
    job.listen();
    job.stopListening();
    signal.abort(LEFT);
    expect([abandoned, listening]).toEqual([[], ['add', 'remove']]);
  });

  it('passes on its answer or its error', () => {
    lone().answer(fakeInference({ steps: 7 }));
    lone().fail(LEFT);
    expect(ended).toEqual(['answered 7', 'CANCELLED']);
  });
});

describe('a group of jobs', () => {
  it('listens once for all, from the first that begins to the last that ends', () => {
    const [first, second] = group(2);
    first!.listen();
    second!.listen();
    first!.stopListening();
    expect(listening).toEqual(['add']);
    second!.stopListening();
    expect(listening).toEqual(['add', 'remove']);
    first!.listen();
    expect(listening).toEqual(['add', 'remove', 'add']);
  });

  it('is abandoned as a whole when its caller leaves', () => {
    const jobs = group(2);
    jobs[0]!.listen();
    signal.abort(LEFT);
    expect(abandoned).toEqual(jobs.map((job) => [job, 'CANCELLED']));
  });

  it('passes on the answers and errors with their index', () => {
    const [first, second] = group(2);
    second!.answer(fakeInference());
    first!.fail(LEFT);
    expect(ended).toEqual(['1 answered', '0 CANCELLED']);
  });
});
