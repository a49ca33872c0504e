import { describe, expect, it } from '@jest/globals';
import { ERROR_KINDS, type ErrorKind, RETRY_AFTER_MS, RouterError, isErrorKind } from './errors.ts';

describe('the error table', () => {
  it('does not count a caller’s own error against an engine', () => {
    for (const [kind, row] of Object.entries(ERROR_KINDS)) {
      if (['INVALID_ARGUMENT', 'NOT_FOUND', 'CANCELLED', 'DEADLINE_EXCEEDED'].includes(row.code)) {
        expect([kind, row.outcome, row.failsOver]).toEqual([kind, 'ignore', false]);
      }
    }
  });

  it('does not count a refused trace, and does not ask another engine', () => {
    for (const kind of ['TRACE_STEP', 'TRACE_NODE', 'TRACE_TOO_LARGE'] as const) {
      expect(ERROR_KINDS[kind]).toMatchObject({ outcome: 'ignore', failsOver: false });
    }
  });

  it('sets retryAfterMs for errors that may be retried', () => {
    for (const kind of ['ROUTER_FULL', 'CALLER_LIMIT', 'PUBLISH_RATE', 'LOADS_BUSY', 'NO_ENGINE'] as const) {
      expect(new RouterError(kind, '').retryAfterMs).toBeGreaterThan(0);
    }
    expect(new RouterError('ROUTER_FULL', '', { retryAfterMs: 7 }).retryAfterMs).toBe(7);
  });

  it('sets retryAfterMs only with codes that clients retry: UNAVAILABLE, RESOURCE_EXHAUSTED', () => {
    const codes = Object.keys(RETRY_AFTER_MS).map((kind) => ERROR_KINDS[kind as ErrorKind].code);
    expect(new Set(codes)).toEqual(new Set(['RESOURCE_EXHAUSTED', 'UNAVAILABLE']));
  });

  it('knows only its own kinds', () => {
    expect(isErrorKind('NON_FINITE')).toBe(true);
    expect(isErrorKind('toString')).toBe(false);
  });

  it('converts an unknown error to INTERNAL and keeps its cause for the log', () => {
    const cause = new TypeError('secret path /etc/passwd');
    const error = RouterError.from(cause);
    expect([error.kind, error.message, error.cause]).toEqual(['INTERNAL', 'internal error', cause]);
  });
});
