// How a call maps the reset of its stream to a status, with a fake clock.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ErrorCode } from '../http2/index.ts';
import { type ClientMethod, ClientCall } from './client-call.ts';
import { codeName } from './status.ts';
import { TimingWheel } from './timing-wheel.ts';

const same = (bytes: Buffer): Buffer => bytes;
const METHOD: ClientMethod<Buffer, Buffer> = { path: '/t.T/Any', encode: same, decode: same };

let nowMs: number;
let ended: string[];

beforeEach(() => {
  nowMs = 1_000;
  ended = [];
});

function callUntil(dueMs: number): ClientCall<Buffer, Buffer> {
  const wheel = new TimingWheel({ now: () => nowMs, every: () => () => undefined });
  const client = { wheel, maxMessageBytes: 1_000, lose: () => undefined };
  const listener = { onMessage: () => undefined, onStatus: ({ code }: { code: number }) => ended.push(codeName(code)) };
  return new ClientCall(client, METHOD, { ...listener }, dueMs, 'identity');
}

describe('ClientCall on a reset of its stream', () => {
  it.each([
    ['at its deadline', 1_000, 'DEADLINE_EXCEEDED'],
    ['after its deadline', 999, 'DEADLINE_EXCEEDED'],
    ['a moment before its deadline', 1_004, 'DEADLINE_EXCEEDED'],
    ['long before its deadline', 1_005, 'CANCELLED'],
    ['without a deadline', Infinity, 'CANCELLED'],
  ])('with CANCEL %s ends with the right status', (_when, dueMs, code) => {
    callUntil(dueMs).onReset(ErrorCode.CANCEL);
    expect(ended).toEqual([code]);
  });

  it('with another code uses the status of that code, also at its deadline', () => {
    callUntil(nowMs).onReset(ErrorCode.REFUSED_STREAM);
    expect(ended).toEqual(['UNAVAILABLE']);
  });
});
