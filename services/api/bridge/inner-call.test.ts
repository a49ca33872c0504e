import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../../core/errors.ts';
import { Metadata } from '../../grpc/metadata.ts';
import type { IncomingCall, OneRequestMethod } from '../../grpc/method.ts';
import { toStatus } from '../status.ts';
import { InnerCall } from './inner-call.ts';

const open = (): InnerCall => new InnerCall('/a/B', { metadata: new Metadata(), peer: '', owner: undefined });

/** Runs a method that passes bytes as texts. */
function run(call: InnerCall, handle: (call: IncomingCall, request: string) => void): Promise<Buffer> {
  const method = {
    ...{ path: '/a/B', requestStream: false, responseStream: false, handle },
    ...{ decode: (bytes: Buffer) => bytes.toString(), encode: (response: unknown) => Buffer.from(response as string) },
  } as OneRequestMethod<unknown, unknown>;
  return call.run(method, Buffer.from('xin').subarray(1));
}

describe('a call from inside the router', () => {
  it.each(['answer', 'send'] as const)('returns the encoded response of "%s", and is over', async (name) => {
    const call = open();
    const response = await run(call, (each, request) => each[name](`${request} out`));
    expect([response.toString(), call.isOver]).toEqual(['in out', true]);
  });

  it('reports that a message is sent', () => {
    expect(open().send('x')).toBe(true);
  });

  it('rejects with the status of a failure, and is over', async () => {
    const call = open();
    const status = toStatus(new RouterError('NO_ENGINE', 'none'));
    await expect(run(call, (each) => each.fail(status))).rejects.toMatchObject({ code: status.code, message: 'none' });
    expect(call.isOver).toBe(true);
  });

  it('tells its handler once that the caller is gone', () => {
    const call = open();
    let cuts = 0;
    call.listener = { onCut: () => (cuts += 1) };
    call.cut();
    call.cut();
    expect([cuts, call.isOver]).toEqual([1, true]);
  });

  it('does not tell its handler that the caller is gone after the answer', () => {
    const call = open();
    let cuts = 0;
    call.listener = { onCut: () => (cuts += 1) };
    call.answer('x');
    call.cut();
    expect(cuts).toBe(0);
  });

  it('has nothing unsent and no deadline', () => {
    expect(open()).toMatchObject({ hasUnsent: false, isOver: false, deadlineMs: Infinity });
  });
});
