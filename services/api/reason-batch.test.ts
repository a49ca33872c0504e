import { beforeEach, describe, expect, it } from '@jest/globals';
import { fakeAnswer, fakeReasoned } from '../../test/fakes/fake-answer.ts';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { fakeTracing, silent } from '../../test/fakes/fake-parts.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import { RouterError } from '../core/errors.ts';
import type { Turns } from '../core/turns.ts';
import { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { Strategy } from '../generated/tandem/v1/types.ts';
import { Metadata } from '../grpc/metadata.ts';
import type { GroupedItem } from '../routing/group.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { Router } from '../routing/router.ts';
import { OpenCalls } from './open-calls.ts';
import { type BatchOptions, reasonBatch } from './reason-batch.ts';
import type { ItemOutcome } from './reason-encoder.ts';
import { UnaryContext } from './unary.ts';

type Request = Parameters<typeof ReasonRequest.fromPartial>[0];

const ann = new CallerAccount('ann', NO_LIMITS, { calls: 0, refused: 0 });

/** Items that the router has, in order of arrival; each group as it arrived. */
let groups: GroupedItem[][];
let alone: ReasonQuestion[];
let traced: unknown[];

const router = {
  reasonTogether: (items: GroupedItem[]) => {
    groups.push([...items]);
    return [];
  },
  reasonInSession: (question: ReasonQuestion) => {
    alone.push(question);
    return Promise.reject(new RouterError('NO_ENGINE', 'none'));
  },
} as unknown as Router;

beforeEach(() => {
  [groups, alone, traced] = [[], [], []];
});

const encode = (request: Request): Uint8Array => ReasonRequest.encode(ReasonRequest.fromPartial(request)).finish();
const requests = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, k) => encode({ model: `m${k}`, encoding: [1] }));
/** Lets everything run that is ready. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function run(items: readonly Uint8Array[], over: Partial<BatchOptions> = {}): Promise<readonly ItemOutcome[]> {
  const tracing = fakeTracing();
  const begin: typeof tracing.begin = (...args) => {
    traced.push(args[0]);
    return fakeTracing().begin(...args);
  };
  const call = { startedMs: performance.now(), metadata: new Metadata(), owner: ann };
  return reasonBatch(items, router, new UnaryContext(call, Infinity, undefined), {
    ...{
      windowSize: 1_000,
      turns: { next: () => undefined } as unknown as Turns,
      type: 'Batch.item',
      observer: silent,
      calls: new OpenCalls(),
    },
    ...{ tracing: Object.assign(tracing, { begin }), onInternalError: () => undefined },
    ...over,
  });
}

const fail = (item: GroupedItem, why: string): void => item.ended(new RouterError('NO_ENGINE', why));
const messageOf = (outcome: ItemOutcome): string => (outcome.$case === 'error' ? outcome.value.message : 'OK');

describe('reasonBatch', () => {
  it('returns the outcomes in the order of the requests, in whatever order they end', async () => {
    const batch = run(requests(3));
    await settled();
    for (const item of groups[0]!.toReversed()) fail(item, item.question.model);
    expect((await batch).map(messageOf)).toEqual(['m0', 'm1', 'm2']);
  });

  it('returns nothing for no requests', async () => {
    expect(await run([])).toEqual([]);
  });

  it('starts at most 32 items together', async () => {
    void run(requests(70));
    await settled();
    expect(groups.map(({ length }) => length)).toEqual([32, 32, 6]);
  });

  it.each([1, 3])('has at most %i items in flight, and starts others as soon as some end', async (windowSize) => {
    const batch = run(requests(5), { windowSize });
    const counts: number[] = [];
    const ended = new Set<GroupedItem>();
    for (let k = 0; k < 5; k += 1) {
      await settled();
      const begun = groups.flat();
      counts.push(begun.length - ended.size);
      const next = begun.find((item) => !ended.has(item))!;
      ended.add(next);
      fail(next, next.question.model);
    }
    expect(counts).toEqual(windowSize === 1 ? [1, 1, 1, 1, 1] : [3, 3, 3, 2, 1]);
    expect((await batch).map(messageOf)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  });

  it('waits for its turn before each group', async () => {
    const owners: unknown[] = [];
    let go = (): void => undefined;
    const next = (owner?: object): Promise<void> => {
      owners.push(owner);
      return new Promise((resolve) => (go = resolve));
    };
    void run(requests(40), { turns: { next } as unknown as Turns });
    const begun: number[] = [];
    for (let k = 0; k < 3; k += 1) {
      await settled();
      begun.push(groups.length);
      go();
    }
    expect([begun, owners]).toEqual([
      [0, 1, 2],
      [ann, ann],
    ]);
  });

  it('sends items without a strategy to the fastest engines', async () => {
    void run([encode({ encoding: [1] }), encode({ encoding: [1], strategy: Strategy.STRATEGY_REDUNDANT })]);
    await settled();
    expect(groups.flat().map(({ question }) => question.strategy)).toEqual(['FASTEST', 'REDUNDANT']);
  });

  it('names the caller of a message of a session', async () => {
    await run([encode({ encoding: [1], session: { id: 's' } })]);
    expect(alone).toMatchObject([{ session: { id: 's', caller: 'ann' } }]);
  });

  it.each<[Partial<BatchOptions>, string]>([
    [{}, 'Batch.item'],
    [{ traceName: 'AgentService/Query' }, 'AgentService/Query'],
  ])('traces each item: %j', async (over, name) => {
    void run(requests(2), over);
    await settled();
    expect(traced).toEqual([name, name]);
  });

  it('refuses answers whose details do not fit the response', async () => {
    const layer = { node: 'lif', neurons: 4, spikes: 3, eventSteps: [], eventNeurons: [], eventsLeftOut: 0 };
    const layers = [{ ...layer, spikesPerStep: new Array<number>(300_000).fill(1) }];
    const inference = { ...fakeInference(), layers };
    const batch = run(requests(3));
    await settled();
    const answers = [inference, inference, fakeInference()].map((each) =>
      fakeReasoned({ answer: fakeAnswer({ inference: each }) }),
    );
    groups[0]!.forEach((item, k) => item.ended(answers[k]!));
    expect((await batch).map((outcome) => outcome.$case === 'error' && outcome.value.reason)).toEqual([
      false,
      'DETAIL_TOO_LARGE',
      false,
    ]);
  });
});
