import { describe, expect, it } from '@jest/globals';
import { status as codes } from '@grpc/grpc-js';
import { ERROR_KINDS, type ErrorKind, RouterError } from '../core/errors.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../generated/google/rpc/error_details.ts';
import { Status } from '../generated/google/rpc/status.ts';
import { toStatus } from './status.ts';

function decodeDetails(error: RouterError): { status: Status; info: ErrorInfo; badRequest: BadRequest | undefined } {
  const [bytes] = toStatus(error).metadata!.getBinary('grpc-status-details-bin');
  const status = Status.decode(bytes!);
  const [info, badRequest] = status.details;
  return {
    status,
    info: ErrorInfo.decode(info?.value ?? Buffer.alloc(0)),
    badRequest: badRequest && BadRequest.decode(badRequest.value),
  };
}

describe('toStatus', () => {
  it.each(Object.keys(ERROR_KINDS) as ErrorKind[])('returns the code of %s, with the kind as the reason', (kind) => {
    const error = new RouterError(kind, 'what happened; what to do');
    const { status, info } = decodeDetails(error);
    expect(codes[toStatus(error).code]).toBe(ERROR_KINDS[kind].code);
    expect([status.code, status.message]).toEqual([toStatus(error).code, 'what happened; what to do']);
    expect([info.reason, info.domain]).toEqual([kind, 'tandem']);
  });

  it('names the invalid field', () => {
    const { badRequest } = decodeDetails(new RouterError('INPUT_LENGTH', 'got 767', { field: 'encoding' }));
    expect(badRequest?.fieldViolations[0]).toMatchObject({ field: 'encoding', description: 'got 767' });
  });

  it.each([
    [0.5, 0n, 500_000],
    [999, 0n, 999_000_000],
    [1_000, 1n, 0],
    [2_500, 2n, 500_000_000],
  ])('has the delay of a retry after %f ms in seconds and nanoseconds', (retryAfterMs, seconds, nanos) => {
    const { status } = decodeDetails(new RouterError('ROUTER_FULL', 'full', { retryAfterMs }));
    const retry = status.details.find(({ typeUrl }) => typeUrl === 'type.googleapis.com/google.rpc.RetryInfo');
    expect(RetryInfo.decode(retry!.value).retryDelay).toEqual({ seconds, nanos });
  });

  it('has no delay of a retry for an error that a retry does not change', () => {
    expect(decodeDetails(new RouterError('INPUT_LENGTH', 'x')).status.details).toHaveLength(1);
  });

  it('is made once for an error that is repeated', () => {
    const [first, again] = [1, 2].map(() =>
      toStatus(new RouterError('INPUT_LENGTH', 'got 767', { field: 'encoding' })),
    );
    expect(again).toBe(first);
  });

  it.each<[string, RouterError]>([
    ['field', new RouterError('INPUT_LENGTH', 'got 767', { field: 'tensor.data' })],
    ['message', new RouterError('INPUT_LENGTH', 'got 766', { field: 'encoding' })],
    ['delay of a retry', new RouterError('INPUT_LENGTH', 'got 767', { field: 'encoding', retryAfterMs: 5 })],
    ['metadata', new RouterError('INPUT_LENGTH', 'got 767', { field: 'encoding', metadata: { got: '767' } })],
  ])('is another one if the %s differs', (_what, error) => {
    const first = toStatus(new RouterError('INPUT_LENGTH', 'got 767', { field: 'encoding' }));
    expect(toStatus(error).metadata).not.toEqual(first.metadata);
  });

  it('shortens texts over 768 characters', () => {
    const [most, more] = ['x'.repeat(768), 'x'.repeat(769)];
    expect([most, more].map((text) => toStatus(new RouterError('INTERNAL', text)).message)).toEqual([most, `${most}…`]);
    const { info, badRequest } = decodeDetails(
      new RouterError('INTERNAL', more, { field: 'f', metadata: { k: more } }),
    );
    expect([info.metadata['k'], badRequest!.fieldViolations[0]!.description]).toEqual([`${most}…`, `${most}…`]);
  });

  it('limits the size of its trailers for a long message', () => {
    const error = new RouterError('UNKNOWN_MODEL', 'x'.repeat(1e6), {
      field: 'model',
      metadata: { tried: 'y'.repeat(1e6) },
    });
    const { message, metadata } = toStatus(error);
    expect(message.length + metadata!.first('grpc-status-details-bin')!.length).toBeLessThan(8_192);
  });
});
