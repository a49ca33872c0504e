import { describe, expect, it } from '@jest/globals';
import { status as codes } from '@grpc/grpc-js';
import { ERROR_KINDS, type ErrorKind, RouterError } from '../core/errors.ts';
import { BadRequest, ErrorInfo } from '../generated/google/rpc/error_details.ts';
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

  it('limits the size of its trailers for a long message', () => {
    const error = new RouterError('UNKNOWN_MODEL', 'x'.repeat(1e6), {
      field: 'model',
      metadata: { tried: 'y'.repeat(1e6) },
    });
    const { message, metadata } = toStatus(error);
    expect(message.length + metadata!.first('grpc-status-details-bin')!.length).toBeLessThan(8_192);
  });
});
