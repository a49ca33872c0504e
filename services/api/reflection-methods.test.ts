import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { until } from '../../test/support/until.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
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

  it('ends a stream whose caller exceeds its rate', async () => {
    call.owner = new CallerAccount('ann', { ...NO_LIMITS, perS: 5 }, { calls: 0, refused: 0 });
    await open();
    for (let each = 0; each < 10; each += 1) call.push(QUESTION);
    expect(call.answers).toHaveLength(5);
    expect(ends).toMatchObject([{ code: Code.RESOURCE_EXHAUSTED }]);
  });
});
