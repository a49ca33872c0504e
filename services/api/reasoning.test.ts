import { beforeEach, describe, expect, it } from '@jest/globals';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { fakeReasoned } from '../../test/fakes/fake-answer.ts';
import { fakeTracing } from '../../test/fakes/fake-parts.ts';
import { loneRouter } from '../../test/fakes/lone-router.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import { RouterError } from '../core/errors.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import {
  PingRequest,
  type ReasonBatchResponse,
  ReasonBatchRequest,
  ReasonRequest,
  ReasoningServiceService,
} from '../generated/tandem/v1/reasoning.ts';
import { Metadata } from '../grpc/metadata.ts';
import type { Method } from '../grpc/method.ts';
import { InputRefused, type TensorInput } from '../routing/check-input.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { Router } from '../routing/router.ts';
import { reasoningMethods } from './reasoning.ts';

const { ping, reason, reasonBatch } = ReasoningServiceService;
const TRACE_ID = 'ab'.repeat(16);
/** With the flag "sampled". */
const metadata = new Metadata(['traceparent', `00-${TRACE_ID}-${'cd'.repeat(8)}-01`]);

let received: { question: ReasonQuestion; span: OpenSpan | undefined }[];
/** Lets the requests under way be answered; the others are answered at once. */
let release: (() => void) | undefined;
let ann: CallerAccount;
let methods: Method[];

beforeEach(() => {
  received = [];
  release = undefined;
  ann = new CallerAccount('ann', { ...NO_LIMITS, maxItems: 3 }, { calls: 0, refused: 0 });
  methods = methodsOf(answering());
});

function answering(isHeld = false): Router {
  const held = new Promise<void>((resolve) => (release = resolve));
  return loneRouter(async (question, { span }) => {
    received.push({ question, span });
    if (isHeld) await held;
    return fakeReasoned();
  });
}

function methodsOf(router: Router): Method[] {
  const tracing = fakeTracing();
  tracing.configure({ enabled: true, sampler: { isParentBased: true, ratio: 0 } });
  return reasoningMethods(router, {
    ...{ ...unaryOptions(), tracing, windowSize: 100, drained: new AbortController().signal },
    ...{ maxBatchItems: 4, maxInFlight: 5 },
  });
}

function batch(items: number, owner?: CallerAccount): Promise<ReasonBatchResponse> {
  const requests = Array.from({ length: items }, () => ReasonRequest.fromPartial({ encoding: [1] }));
  return callMethod(methods, reasonBatch, ReasonBatchRequest.fromPartial({ requests }), { owner });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Ping', () => {
  it('returns the time of the router', async () => {
    const beganMs = Date.now();
    const { message, serverTimeMs } = await callMethod(methods, ping, PingRequest.fromPartial({}));
    expect(message).toBe('pong');
    expect(Number(serverTimeMs)).toBeGreaterThanOrEqual(beganMs);
    expect(Number(serverTimeMs)).toBeLessThanOrEqual(Date.now());
  });
});

describe('Reason', () => {
  const request = ReasonRequest.fromPartial({ requestId: 'mine', encoding: [1], session: { id: 's' } });

  it('answers under the id of the request', async () => {
    expect(await callMethod(methods, reason, request)).toMatchObject({ requestId: 'mine', label: 'wörld' });
  });

  it('names its caller for the session', async () => {
    await callMethod(methods, reason, request, { owner: ann });
    expect(received).toMatchObject([{ question: { session: { id: 's', caller: 'ann' } } }]);
  });

  it('continues the trace of its caller, and records the answer in it', async () => {
    expect(await callMethod(methods, reason, request, { metadata, owner: ann })).toMatchObject({ traceId: TRACE_ID });
    const { span } = received[0]!;
    expect(['caller', 'engine', 'cache', 'grade'].map((name) => span!.get(`tandem.${name}`))).toEqual([
      ...['ann', 'engine-1', 'BYPASSED', 'MAJORITY'],
    ]);
  });

  it('creates a trace id if its caller has none', async () => {
    expect((await callMethod(methods, reason, request)).traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('the memory of a large input', () => {
  const large = { tensor: { shape: [50_000], dtype: 'FP32', data: Buffer.alloc(200_000) } };

  /** Its bytes after the router has thrown this. */
  async function bytesAfter(thrown: RouterError, call: (methods: Method[]) => Promise<unknown>): Promise<number> {
    let data = new Uint8Array();
    const router = loneRouter(({ input }) => {
      data = (input as TensorInput).data as Uint8Array<ArrayBuffer>;
      return Promise.reject(thrown);
    });
    await call(methodsOf(router)).catch(() => undefined);
    return data.length;
  }

  const single = (methods: Method[]): Promise<unknown> => callMethod(methods, reason, ReasonRequest.fromPartial(large));
  const batched = (methods: Method[]): Promise<unknown> =>
    callMethod(methods, reasonBatch, ReasonBatchRequest.fromPartial({ requests: [large] }));

  it('is freed if the input was refused before any engine got it', async () => {
    expect(await bytesAfter(new InputRefused('INPUT_LENGTH', ''), single)).toBe(0);
  });

  it('is left to an engine that refused it, and to those that check that', async () => {
    expect(await bytesAfter(new RouterError('INPUT_LENGTH', ''), single)).toBe(200_000);
  });

  it('is left to the other items of its batch', async () => {
    expect(await bytesAfter(new InputRefused('INPUT_LENGTH', ''), batched)).toBe(200_000);
  });
});

describe('ReasonBatch', () => {
  it('answers every item', async () => {
    const { results } = await batch(3);
    expect(results.map(({ outcome }) => outcome?.$case)).toEqual(['result', 'result', 'result']);
  });

  it('traces each item', async () => {
    await batch(1);
    expect(received[0]!.span!.name).toMatch(/ReasonBatch\.item$/);
  });

  it.each([
    ['a batch of more items than max_batch_items', 5, 'BATCH_TOO_LARGE'],
    ['one of as many', 4, 'OK'],
  ])('of %s', async (_, items, kind) => {
    expect((await refusalOf(batch(items))).reason || 'OK').toBe(kind);
  });

  it('is refused if the open batches would have more items than max_in_flight, until they have ended', async () => {
    methods = methodsOf(answering(true));
    const first = batch(3);
    await settled();
    expect((await refusalOf(batch(3))).reason).toBe('ROUTER_FULL');
    release!();
    await first;
    expect((await batch(3)).results).toHaveLength(3);
  });

  it('counts its items against the limit of its caller until it has ended', async () => {
    methods = methodsOf(answering(true));
    const first = batch(2, ann);
    await settled();
    expect((await refusalOf(batch(2, ann))).reason).toBe('CALLER_LIMIT');
    release!();
    await first;
    expect(ann.isIdle).toBe(true);
  });

  it('leaves nothing behind if there is no room', async () => {
    methods = methodsOf(answering(true));
    const first = batch(4);
    await settled();
    expect((await refusalOf(batch(2, ann))).reason).toBe('ROUTER_FULL');
    expect(ann.isIdle).toBe(true);
    release!();
    await first;
  });

  it('has paid for its first item with its call', async () => {
    const paid = new CallerAccount('bob', { ...NO_LIMITS, perS: 2 }, { calls: 0, refused: 0 });
    expect(paid.begin()).toBeUndefined();
    expect((await batch(2, paid)).results).toHaveLength(2);
    expect((await refusalOf(batch(2, paid))).reason).toBe('CALLER_LIMIT');
  });
});
