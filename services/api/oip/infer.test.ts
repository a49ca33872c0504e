import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type FakeEngine, fakeInference } from '../../../test/fakes/fake-engine.ts';
import { loneRouter } from '../../../test/fakes/lone-router.ts';
import { reasoningOptions } from '../../../test/fakes/reasoning-options.ts';
import { buildWhole, engine, version } from '../../../test/fakes/router-parts.ts';
import { CallerAccount, NO_LIMITS } from '../../auth/caller-account.ts';
import { RouterError } from '../../core/errors.ts';
import { ModelInferRequest, type ModelInferResponse } from '../../generated/inference/grpc_service.ts';
import { Metadata } from '../../grpc/metadata.ts';
import { ModelRepository } from '../../models/repository.ts';
import type { ReasonQuestion } from '../../routing/question.ts';
import type { ReasoningOptions } from '../reasoning.ts';
import { UnaryContext } from '../unary.ts';
import { Catalogue } from './catalogue.ts';
import { inferWith } from './infer.ts';
import { InferenceStatistics } from './statistics.ts';

let served: FakeEngine;
let questions: ReasonQuestion[];
/** The error of the item with this index; undefined: it is answered. */
let failure: (index: number) => RouterError | undefined;
let statistics: InferenceStatistics;
let owner: CallerAccount | undefined;

beforeEach(() => {
  served = engine('a');
  questions = [];
  failure = () => undefined;
  statistics = new InferenceStatistics();
  owner = undefined;
});

type Ask = (
  request: ModelInferRequest,
  ...rest: [form?: 'RAW' | 'LISTS', isPaid?: boolean]
) => Promise<ModelInferResponse>;

function inferWithOptions(over: Partial<ReasoningOptions> = {}): Ask {
  const { router, pool } = buildWhole([served]);
  const catalogue = new Catalogue(new ModelRepository([version(1)], 'm'), pool);
  const watched = loneRouter((question, context) => {
    const error = failure(questions.push(question) - 1);
    return error ? Promise.reject(error) : router.reason(question, context);
  });
  const infer = inferWith({ router: watched, catalogue, statistics }, reasoningOptions(over));
  return (request, ...rest) => {
    const call = { startedMs: performance.now(), metadata: new Metadata(), owner };
    return infer(request, new UnaryContext(call, Infinity, undefined), ...rest);
  };
}

const text = (value: string) => ({ parameterChoice: { $case: 'stringParam' as const, value } });

/** A request with this shape, whose numbers count up from 0. */
function inferring(shape: number[], over: Partial<ModelInferRequest> = {}, isRaw = false): ModelInferRequest {
  const numbers = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index);
  const contents = isRaw ? undefined : { fp32Contents: numbers };
  return ModelInferRequest.fromPartial({
    inputs: [{ name: 'input', datatype: 'FP32', shape: shape.map(BigInt), contents }],
    rawInputContents: isRaw ? [Buffer.from(Float32Array.from(numbers).buffer)] : [],
    outputs: [{ name: 'label' }],
    ...over,
  });
}

const overflow = (field?: string): RouterError =>
  new RouterError('NON_FINITE', 'overflow', field === undefined ? {} : { field });

const floats = (data: Uint8Array): number[] => [...new Float32Array(data.slice().buffer)];

async function refusalOf(answer: Promise<unknown>): Promise<RouterError> {
  const thrown = await answer.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof RouterError) return thrown;
  throw new Error('it was not refused');
}

describe('an inference', () => {
  it('is one request to the model', async () => {
    const response = await inferWithOptions()(inferring([3], { id: 'q' }));
    expect(response).toMatchObject({ modelName: 'm', modelVersion: '1', id: 'q', outputs: [{ shape: [1n] }] });
    expect(served.calls.map(({ input }) => [input.model, floats(input.data)])).toEqual([['m', [0, 1, 2]]]);
    expect(questions).toMatchObject([{ model: 'm', modelVersion: 1, strategy: 'FASTEST' }]);
  });

  it('with a batch is one request for each item, answered in order', async () => {
    const response = await inferWithOptions()(inferring([2, 3]));
    expect(served.calls.map(({ input }) => floats(input.data))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(response.outputs).toMatchObject([{ name: 'label', shape: [2n, 1n] }]);
  });

  it('uses the strategy and the cache mode of its parameters', async () => {
    await inferWithOptions()(inferring([3], { parameters: { strategy: text('ROUND_ROBIN'), cache: text('BYPASS') } }));
    expect(questions).toMatchObject([{ strategy: 'ROUND_ROBIN', cache: 'BYPASS' }]);
  });

  it.each([
    ['strategy', 'BEST', /^parameter strategy is "BEST"; send one of ROUND_ROBIN, .*, FASTEST/],
    ['strategy', 'x'.repeat(100), /^parameter strategy is "x{64}"; send/],
    ['cache', 'NEVER', /^parameter cache is "NEVER"; send one of [A-Z_]+, [A-Z_]+(, [A-Z_]+)*$/],
  ])('refuses an unknown value of parameter %s, and lists the known ones', async (name, value, message) => {
    const error = await refusalOf(inferWithOptions()(inferring([3], { parameters: { [name]: text(value) } })));
    expect([error.kind, error.violation?.field]).toEqual(['INVALID_FIELD', `parameters.${name}`]);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('UNSPECIFIED');
    expect(error.message).not.toContain('UNRECOGNIZED');
  });

  it.each([
    [true, undefined, true],
    [false, undefined, false],
    [true, 'LISTS', false],
    [false, 'RAW', true],
  ] as const)('with raw input %p and form %p has raw outputs: %p', async (isRaw, form, expected) => {
    const { outputs, rawOutputContents } = await inferWithOptions()(inferring([3], {}, isRaw), form);
    expect([rawOutputContents.length, outputs[0]!.contents === undefined]).toEqual([expected ? 1 : 0, expected]);
  });

  it('counts each item as answered', async () => {
    await inferWithOptions()(inferring([3, 3]));
    expect(statistics.read('m', 1)).toMatchObject({ inferenceCount: 3n, inferenceStats: { fail: { count: 0n } } });
  });

  it('that fails is counted once, with its duration', async () => {
    failure = () => overflow();
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const answer = refusalOf(inferWithOptions()(inferring([2, 3])));
    now.mockReturnValue(1_002);
    await answer;
    now.mockRestore();
    expect(statistics.read('m', 1)).toMatchObject({
      inferenceCount: 0n,
      inferenceStats: { fail: { count: 1n, ns: 2_000_000n } },
    });
  });

  it.each([
    [[3], 0, 'overflow'],
    [[2, 3], 1, 'item 1: overflow'],
  ])('of shape %j fails with the error of its item %d', async (shape, wrong, message) => {
    failure = (index) => (index === wrong ? overflow('tensor') : undefined);
    const { kind, message: found, violation } = await refusalOf(inferWithOptions()(inferring(shape)));
    expect([kind, found, violation?.field]).toEqual(['NON_FINITE', message, 'tensor']);
  });

  it('fails without a field if the error of its item has none', async () => {
    failure = () => overflow();
    expect((await refusalOf(inferWithOptions()(inferring([3])))).violation).toBeUndefined();
  });

  it('is refused while the batches under way have no room for it', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    served.behaviour = () => promise.then(() => fakeInference());
    const ask = inferWithOptions({ maxInFlight: 3 });
    const first = ask(inferring([2, 3]));
    await new Promise(setImmediate);
    expect((await refusalOf(ask(inferring([2, 3])))).kind).toBe('ROUTER_FULL');
    resolve(undefined);
    await first;
    await ask(inferring([2, 3]));

    failure = () => overflow();
    for (const _ of [1, 2, 3]) expect((await refusalOf(ask(inferring([2, 3])))).kind).toBe('NON_FINITE');
  });

  it('is refused with more items than a batch may have', async () => {
    expect((await refusalOf(inferWithOptions({ maxBatchItems: 2 })(inferring([3, 3])))).message).toMatch(
      /a batch of 3/,
    );
  });
});

describe('the caller of an inference', () => {
  let entered: unknown[];

  beforeEach(() => {
    owner = new CallerAccount('ann', NO_LIMITS, { calls: 0, refused: 0 });
    entered = [];
    const { enter } = owner;
    owner.enter = (...args) => {
      entered.push(args);
      enter.apply(owner, args);
    };
  });

  it.each([
    [undefined, true],
    [false, false],
  ])('is charged for every item, less the one that the call has paid (%p)', async (isPaid, expected) => {
    await inferWithOptions()(inferring([2, 3]), undefined, isPaid);
    expect(entered).toEqual([[2, expected]]);
  });

  it('has the items in flight until they are answered', async () => {
    const seen: boolean[] = [];
    served.behaviour = () => {
      seen.push(owner!.isIdle);
      return Promise.resolve(fakeInference());
    };
    await inferWithOptions()(inferring([3]));
    expect([seen, owner!.isIdle]).toEqual([[false], true]);
  });

  it('has no items in flight after a failure', async () => {
    failure = () => overflow();
    await refusalOf(inferWithOptions()(inferring([2, 3])));
    expect(owner!.isIdle).toBe(true);
  });
});
