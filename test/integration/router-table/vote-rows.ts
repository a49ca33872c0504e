// The rows about votes.
import type { Row } from './row.ts';

const ask = { strategy: 'REDUNDANT' } as const;
const VOTED = { code: 'OK', cache: 'MISS', strategy: 'REDUNDANT' } as const;
const TOO_FEW = { code: 'UNAVAILABLE', reason: 'VOTE_TOO_FEW', retryAfterMs: 500 } as const;

export const VOTE_ROWS: readonly Row[] = [
  {
    name: 'one lies: MAJORITY',
    engines: { one: 'lies', two: 'takes its time', three: 'takes its time' },
    ask,
    expected: { ...VOTED, grade: 'MAJORITY', ballots: 'one DISSENTED, three AGREED, two AGREED' },
  },
  {
    name: 'all contradict each other: VOTE_DISPUTED',
    engines: { one: 'lies', two: 'lies otherwise' },
    ask,
    expected: { code: 'ABORTED', reason: 'VOTE_DISPUTED', blamed: '', breakers: '' },
  },
  {
    name: 'one fails: the others agree',
    engines: { one: 'fails' },
    ask,
    expected: { ...VOTED, grade: 'UNANIMOUS', ballots: 'one ABSENT ENGINE_FAULT, three AGREED, two AGREED' },
  },
  {
    name: 'one is full: the others agree',
    engines: { one: 'is full' },
    ask,
    expected: { ...VOTED, grade: 'UNANIMOUS', ballots: 'one ABSENT ENGINE_FULL, three AGREED, two AGREED', blamed: '' },
  },
  {
    name: 'one is lost: it is not asked',
    engines: { one: 'is gone' },
    ask,
    expected: { ...VOTED, grade: 'UNANIMOUS', ballots: 'three AGREED, two AGREED' },
  },
  {
    name: 'one never answers: the vote does not wait for it, and it is not blamed',
    engines: { one: 'never answers' },
    ask,
    expected: {
      ...VOTED,
      grade: 'UNANIMOUS',
      ballots: 'one ABSENT CANCELLED, three AGREED, two AGREED',
      blamed: '',
      cancelledIn: 'one',
    },
  },
  {
    name: 'there is another engine: one that fails is replaced',
    settings: { vote: { participants: 2 } },
    engines: { one: 'fails' },
    ask,
    expected: { ...VOTED, grade: 'UNANIMOUS', ballots: 'one ABSENT ENGINE_FAULT, three AGREED, two AGREED' },
  },
  {
    name: 'the retry budget is spent: one that fails is not replaced',
    settings: { vote: { participants: 2 }, retry: { budget_percent: 0 } },
    engines: { one: 'fails' },
    ask,
    expected: { ...TOO_FEW, calls: 'one 1, two 1' },
  },
  {
    name: 'one of two is silent beyond attempt_timeout_ms: VOTE_TOO_FEW',
    settings: { retry: { attempt_timeout_ms: 300 } },
    engines: { one: 'never answers', three: 'drains' },
    ask,
    expected: { ...TOO_FEW, others: 'three: draining', blamed: 'one 1', cancelledIn: 'one' },
  },
  {
    name: 'two drain: VOTE_TOO_FEW, and no unchecked answer',
    engines: { two: 'drains', three: 'drains' },
    ask,
    expected: { ...TOO_FEW, others: 'two: draining, three: draining' },
  },
  {
    name: 'all are lost: NO_ENGINE',
    engines: { one: 'is gone', two: 'is gone', three: 'is gone' },
    ask,
    expected: { code: 'UNAVAILABLE', reason: 'NO_ENGINE', retryAfterMs: 500, tried: '' },
  },
  {
    name: 'the caller cancels: all get the cancellation',
    engines: { one: 'never answers', two: 'never answers', three: 'never answers' },
    ask: { ...ask, cancelled: true },
    expected: { code: 'CANCELLED', blamed: '', breakers: '', cancelledIn: 'three' },
  },
];
