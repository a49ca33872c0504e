import { beforeEach, describe, expect, it } from '@jest/globals';
import { fakeAnswer, fakeReasoned } from '../../test/fakes/fake-answer.ts';
import { fakeTracing, silent } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import type { RequestTrace } from '../core/request-trace.ts';
import { ReasonRequest, ReasonResponse } from '../generated/tandem/v1/reasoning.ts';
import type { GroupedItem } from '../routing/group.ts';
import type { ReasonAnswer } from '../routing/router.ts';
import { type ItemAnswer, type ItemOptions, type ItemRouter, reasonItems } from './reason-item.ts';

type Request = Parameters<typeof ReasonRequest.fromPartial>[0];

const none = new RouterError('NO_ENGINE', 'none');
const full = new RouterError('ROUTER_FULL', 'full', { retryAfterMs: 1 });

let groups: GroupedItem[][];
let alone: string[];
let ended: [index: number, answer: ItemAnswer][];
let counted: [type: string, outcome: string, durationMs: number][];
let traces: RequestTrace[];
let caller: AbortController;
/** Items that the router leaves to be run alone. */
let leftBy: (items: readonly GroupedItem[]) => readonly GroupedItem[];

beforeEach(() => {
  [groups, alone, ended, counted, traces] = [[], [], [], [], []];
  caller = new AbortController();
  leftBy = () => [];
});

const encode = (request: Request): Uint8Array => ReasonRequest.encode(ReasonRequest.fromPartial(request)).finish();
const requests = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, k) => encode({ requestId: `r${k}`, model: `m${k}`, encoding: [1] }));
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const router = {
  reason: ({ model }) => {
    alone.push(model);
    return Promise.resolve(fakeReasoned());
  },
  reasonInSession: ({ model }) => {
    alone.push(`${model} in a session`);
    return Promise.resolve(fakeReasoned());
  },
  reasonTogether: (items) => {
    groups.push([...items]);
    return leftBy(items);
  },
} as ItemRouter;

function run(items: readonly Uint8Array[], isSampled = false, over: Partial<ItemOptions> = {}): void {
  const tracing = fakeTracing();
  tracing.configure({ enabled: isSampled, sampler: { isParentBased: false, ratio: 1 } });
  const options: ItemOptions = {
    ...{ type: 'item', tracing, caller: () => 'ann', onInternalError: () => undefined },
    observer: { ...silent, requestEnded: (...each) => void counted.push(each.slice(0, 3) as (typeof counted)[number]) },
    begin: (startedMs) => {
      const trace = tracing.begin('item', startedMs, '', '');
      traces.push(trace);
      return trace;
    },
    ...over,
  };
  const context = { deadlineMs: Infinity, signal: caller.signal };
  reasonItems(items, router, context, options, (index, answer) => void ended.push([index, answer]));
}

const outcomeOf = ({ outcome }: ItemAnswer): string => (outcome.$case === 'error' ? outcome.value.reason : 'OK');

describe('items that arrive together', () => {
  it('run together, and each ends at its own index', () => {
    run(requests(3));
    expect(groups.map((group) => group.map(({ question }) => question.model))).toEqual([['m0', 'm1', 'm2']]);
    for (const item of groups[0]!.toReversed()) item.ended(none);
    expect(ended.map(([index, { requestId }]) => [index, requestId])).toEqual([
      [2, 'r2'],
      [1, 'r1'],
      [0, 'r0'],
    ]);
  });

  it.each([
    ['their traces are sampled', true, false],
    ['their caller has left', false, true],
  ])('run alone if %s', async (_, isSampled, isAborted) => {
    if (isAborted) caller.abort(none);
    run(requests(2), isSampled);
    await settled();
    expect([groups, ended.length]).toEqual([[], 2]);
    expect(alone).toEqual(isAborted ? [] : ['m0', 'm1']);
  });

  it('run alone if they are messages of a session', async () => {
    run([...requests(1), encode({ model: 's', encoding: [1], session: { id: 'x' } })]);
    await settled();
    expect([groups.map(({ length }) => length), alone]).toEqual([[1], ['s in a session']]);
  });

  it('run alone if the router leaves them', async () => {
    leftBy = (items) => items.slice(1);
    run(requests(2));
    await settled();
    expect([alone, ended.map(([index, answer]) => [index, outcomeOf(answer)])]).toEqual([['m1'], [[1, 'OK']]]);
  });

  it('do not include a request that cannot be read', () => {
    run([new Uint8Array([255]), ...requests(1)]);
    expect(ended.map(([index, answer]) => [index, outcomeOf(answer)])).toEqual([[0, 'INVALID_FIELD']]);
    expect(groups.map(({ length }) => length)).toEqual([1]);
  });
});

describe('an item', () => {
  function one(over: Partial<ItemOptions> = {}): GroupedItem {
    run(requests(1), false, over);
    return groups[0]![0]!;
  }

  it('ends once, whatever comes later', () => {
    const failed = one();
    failed.ended(none);
    failed.ended(full);
    failed.ended(fakeReasoned());
    expect(ended.map(([, answer]) => outcomeOf(answer))).toEqual(['NO_ENGINE']);
  });

  it('that is answered ends once, too', () => {
    const answered = one();
    answered.ended(fakeReasoned());
    answered.ended(none);
    answered.ended(fakeReasoned());
    expect(ended.map(([, answer]) => outcomeOf(answer))).toEqual(['OK']);
  });

  it.each<[string, ReasonAnswer | RouterError]>([
    ['OK', fakeReasoned()],
    ['NO_ENGINE', none],
  ])('is counted and traced with its duration: %s', (outcome, said) => {
    one().ended(said);
    expect(counted).toEqual([['item', outcome, expect.any(Number)]]);
    expect(counted[0]![2]).toBeGreaterThanOrEqual(0);
    expect(counted[0]![2]).toBeLessThanOrEqual(performance.now() - traces[0]!.about.startMs);
    expect([traces[0]!.endMs > 0, traces[0]!.failure]).toEqual([true, said instanceof RouterError ? said : undefined]);
  });

  it('has an answer under the id of its request, with its trace', () => {
    one().ended(fakeReasoned());
    const [[, { requestId, outcome }]] = ended as [[number, ItemAnswer]];
    const response = ReasonResponse.decode(outcome.value as Buffer);
    expect([requestId, response.requestId, response.traceId]).toEqual(['r0', 'r0', traces[0]!.traceId]);
  });

  it('gets an id if its request has none', () => {
    run([encode({ encoding: [1] })]);
    groups[0]![0]!.ended(fakeReasoned());
    const [[, { requestId, outcome }]] = ended as [[number, ItemAnswer]];
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(ReasonResponse.decode(outcome.value as Buffer).requestId).toBe(requestId);
  });

  it('fails if its answer is not accepted', () => {
    const refuse = (): never => {
      throw new RouterError('DETAIL_TOO_LARGE', 'too much');
    };
    one({ accept: refuse }).ended(fakeReasoned({ answer: fakeAnswer() }));
    expect(ended.map(([, answer]) => outcomeOf(answer))).toEqual(['DETAIL_TOO_LARGE']);
  });

  it('has the question that was adjusted', () => {
    const item = one({ adjust: (question) => ({ ...question, strategy: 'FASTEST' }) });
    expect(item.question).toMatchObject({ model: 'm0', strategy: 'FASTEST' });
  });

  it('fails at once with any error but that of a full router', () => {
    one().ended(none);
    expect([alone, ended.length]).toEqual([[], 1]);
  });
});
