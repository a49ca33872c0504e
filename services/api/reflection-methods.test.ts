import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { until } from '../../test/support/until.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import { RouterError } from '../core/errors.ts';
import { Code, type Status } from '../grpc/status.ts';
import { reflectionMethods } from './reflection-methods.ts';

/** ServerReflectionRequest: `string list_services = 7`. */
const QUESTION = Buffer.from([0x3a, 1, 0x2a]);

let ends: (Status | undefined)[];
let call: FakeCall<Buffer>;

beforeEach(() => {
  ends = [];
  call = new FakeCall((end) => ends.push(end));
});

async function open(): Promise<void> {
  (reflectionMethods()[0]!.handle as (call: FakeCall<Buffer>) => void)(call);
  call.push(QUESTION);
  await until(() => call.answers.length === 1 && !call.isPaused, { what: 'the first answer' });
}

describe('reflectionMethods', () => {
  it('pauses a stream while its answers are unread', async () => {
    await open();
    call.hasUnsent = true;
    for (let each = 0; each < 10; each += 1) call.push(QUESTION);
    expect([call.answers.length, call.isPaused]).toEqual([2, true]);
    call.hasUnsent = false;
    call.listener?.onDrain?.();
    expect([call.answers.length, call.isPaused]).toEqual([11, false]);
  });

  it('answers what arrived while the package was loading, and then ends', async () => {
    (reflectionMethods()[1]!.handle as (call: FakeCall<Buffer>) => void)(call);
    const { listener } = call;
    listener!.onMessage!(QUESTION as never);
    listener!.onMessage!(QUESTION as never);
    listener!.onEnd!();
    listener!.onDrain!();
    expect([call.isPaused, call.answers]).toEqual([true, []]);
    await until(() => call.isOver, { what: 'the end' });
    expect([call.answers.length, ends]).toEqual([2, [undefined]]);
  });

  it('ends a stream at the end of its requests', async () => {
    await open();
    expect(ends).toEqual([]);
    call.listener!.onEnd!();
    expect(ends).toEqual([undefined]);
  });

  it('ends a stream whose request cannot be decoded', async () => {
    await open();
    call.push(Buffer.from([0x3a, 9, 1]));
    expect(call.answers).toHaveLength(1);
    expect(ends).toMatchObject([
      { code: Code.INTERNAL, message: expect.stringMatching(/^the request cannot be decoded/) as unknown },
    ]);
  });

  it('holds no request of its caller after its answer', async () => {
    const ann = new CallerAccount('ann', NO_LIMITS, { calls: 0, refused: 0 });
    call.owner = ann;
    await open();
    expect(ann.isIdle).toBe(true);
  });

  it('ends a stream whose caller exceeds its rate', async () => {
    const full = new RouterError('CALLER_LIMIT', 'too fast');
    let left = 5;
    const enter = (): void => {
      if (left === 0) throw full;
      left -= 1;
    };
    call.owner = Object.assign(new CallerAccount('ann', NO_LIMITS, { calls: 0, refused: 0 }), { enter });
    await open();
    for (let each = 0; each < 10; each += 1) call.push(QUESTION);
    expect(call.answers).toHaveLength(5);
    expect(ends).toMatchObject([{ code: Code.RESOURCE_EXHAUSTED }]);
  });
});
