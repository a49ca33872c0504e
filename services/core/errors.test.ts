import { describe, expect, it } from '@jest/globals';
import { ERROR_KINDS, RouterError, isErrorKind } from './errors.ts';

describe('the error table', () => {
  it('never counts a caller’s own fault against an engine', () => {
    for (const [kind, row] of Object.entries(ERROR_KINDS)) {
      if (['INVALID_ARGUMENT', 'NOT_FOUND', 'CANCELLED', 'DEADLINE_EXCEEDED'].includes(row.code)) {
        expect([kind, row.outcome, row.retryable]).toEqual([kind, 'ignore', false]);
      }
    }
  });

  it('holds nothing against an engine that refuses to trace, and does not ask another one', () => {
    for (const kind of ['TRACE_STEP', 'TRACE_NODE', 'TRACE_TOO_LARGE'] as const) {
      expect(ERROR_KINDS[kind]).toMatchObject({ outcome: 'ignore', retryable: false });
    }
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
