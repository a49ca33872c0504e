import { describe, expect, it, jest } from '@jest/globals';
import { ERROR_KINDS, type ErrorKind, RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { checkRefusal } from './check-refusal.ts';

const INPUT = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };

function check(thrown: unknown, over: Partial<CallContext> = {}): RouterError {
  const context = { deadlineMs: Infinity, signal: new AbortController().signal, ...over };
  return checkRefusal('e', thrown, INPUT, context, performance.now());
}

const said = (kind: ErrorKind, metadata: Readonly<Record<string, string>> = {}): RouterError =>
  new RouterError(kind, '<b>its own words</b>', { metadata, recordingId: 5n });

describe('checkRefusal', () => {
  it.each<ErrorKind>(['ENGINE_FULL', 'DRAINING', 'ENGINE_LOST', 'ENGINE_FAULT', 'INPUT_TOO_LARGE'])(
    'passes %s unchanged',
    (kind) => {
      const error = said(kind);
      expect(check(error)).toBe(error);
    },
  );

  it('rewrites the message of NON_FINITE, and keeps location and recording', () => {
    expect(check(said('NON_FINITE', { step: '3', node: 'lif1', secret: 'x' }))).toMatchObject({
      ...{ kind: 'NON_FINITE', metadata: { step: '3', node: 'lif1' }, recordingId: 5n },
      message:
        'step 3, node "lif1": a value of model m/1 is not finite; check the input\'s range and the model\'s weights',
    });
  });

  const claims = (Object.keys(ERROR_KINDS) as ErrorKind[]).filter((kind) => ERROR_KINDS[kind].fromEngine === 'claim');
  it.each(claims.filter((kind) => kind !== 'NON_FINITE'))('rewrites the message of %s', (kind) => {
    const { message, kind: passed } = check(said(kind));
    expect([passed, message]).toEqual([kind, expect.stringMatching(/^the .*\(model m\/1\)$/)]);
  });

  it('escapes and truncates a node’s name to 128 characters', () => {
    const { metadata } = check(said('NON_FINITE', { node: `\u001b[31m\n${'x'.repeat(500)}` }));
    expect(metadata).toEqual({ node: `?[31m?${'x'.repeat(122)}` });
  });

  it.each(['-1', '1.5', '', '1e9', '99999999999', 'three'])(
    'treats the impossible step "%s" as ENGINE_FAULT',
    (step) => {
      const metadata = { malformed: 'a refusal at an impossible step or node' };
      expect(check(said('NON_FINITE', { step }))).toMatchObject({ kind: 'ENGINE_FAULT', metadata });
    },
  );

  it.each<ErrorKind>(['INPUT_MISSING', 'ROUTER_FULL', 'NO_ENGINE', 'VOTE_DISPUTED', 'ADMIN_FORBIDDEN', 'CANCELLED'])(
    'treats %s from an engine as ENGINE_FAULT',
    (kind) => {
      const metadata = { malformed: 'a refusal that no engine may give' };
      expect(check(said(kind))).toMatchObject({ kind: 'ENGINE_FAULT', metadata });
    },
  );

  it('accepts DEADLINE_EXCEEDED only close to or after the deadline', () => {
    const late = said('DEADLINE_EXCEEDED');
    expect(check(late, { deadlineMs: performance.now() + 4 })).toBe(late);
    const metadata = { malformed: 'a time-out before the deadline' };
    for (const deadlineMs of [performance.now() + 1_000, Infinity]) {
      expect(check(late, { deadlineMs })).toMatchObject({ kind: 'ENGINE_FAULT', metadata });
    }
  });

  it('accepts DEADLINE_EXCEEDED from 5 ms and a hundredth of the time before the deadline on', () => {
    const late = said('DEADLINE_EXCEEDED');
    const { signal } = new AbortController();
    const kindAt = (nowMs: number): string => {
      const clock = jest.spyOn(performance, 'now').mockReturnValue(nowMs);
      const { kind } = checkRefusal('e', late, INPUT, { deadlineMs: 2_000, signal }, 1_000);
      clock.mockRestore();
      return kind;
    };
    expect([1_984.5, 1_985, 2_001].map(kindAt)).toEqual(['ENGINE_FAULT', 'DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
  });

  it('returns the router’s own reason if the router cancelled the request', () => {
    const left = new RouterError('CANCELLED', 'left');
    expect(check(left, { signal: AbortSignal.abort(left) })).toBe(left);
  });

  it('treats an exception as ENGINE_FAULT', () => {
    const { kind, message, cause } = check(new TypeError('oh'));
    expect([kind, message, cause]).toEqual(['ENGINE_FAULT', 'engine "e" failed: oh', expect.any(TypeError)]);
  });
});
