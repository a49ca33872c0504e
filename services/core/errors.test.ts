import { describe, expect, it } from '@jest/globals';
import { ERROR_KINDS, type ErrorKind, RETRY_AFTER_MS, RouterError, isErrorKind } from './errors.ts';

describe('the error table', () => {
  it('never counts a caller’s own fault against an engine', () => {
    for (const [kind, row] of Object.entries(ERROR_KINDS)) {
      if (['INVALID_ARGUMENT', 'NOT_FOUND', 'CANCELLED', 'DEADLINE_EXCEEDED'].includes(row.code)) {
        expect([kind, row.outcome, row.failsOver]).toEqual([kind, 'ignore', false]);
      }
    }
  });

  it('holds nothing against an engine that refuses to trace, and does not ask another one', () => {
    for (const kind of ['TRACE_STEP', 'TRACE_NODE', 'TRACE_TOO_LARGE'] as const) {
      expect(ERROR_KINDS[kind]).toMatchObject({ outcome: 'ignore', failsOver: false });
    }
  });

  it('says of a refusal that may go well later when to try again', () => {
    for (const kind of ['ROUTER_FULL', 'CALLER_LIMIT', 'PUBLISH_RATE', 'LOADS_BUSY', 'NO_ENGINE'] as const) {
      expect(new RouterError(kind, '').retryAfterMs).toBeGreaterThan(0);
    }
    expect(new RouterError('ROUTER_FULL', '', { retryAfterMs: 7 }).retryAfterMs).toBe(7);
  });

  it('has clients try again only where a client would: with UNAVAILABLE or RESOURCE_EXHAUSTED', () => {
    const codes = Object.keys(RETRY_AFTER_MS).map((kind) => ERROR_KINDS[kind as ErrorKind].code);
    expect(new Set(codes)).toEqual(new Set(['RESOURCE_EXHAUSTED', 'UNAVAILABLE']));
  });

  it('knows its own kinds only', () => {
    expect(isErrorKind('NON_FINITE')).toBe(true);
    expect(isErrorKind('toString')).toBe(false);
  });

  it('hides what it does not know behind INTERNAL and keeps the cause for the log', () => {
    const cause = new TypeError('secret path /etc/passwd');
    const error = RouterError.from(cause);
    expect([error.kind, error.message, error.cause]).toEqual(['INTERNAL', 'internal error', cause]);
  });
});
