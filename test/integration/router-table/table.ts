// The table. By default all engines work, nothing is cached, and the strategy is ROUND_ROBIN.
import { CACHE_ROWS } from './cache-rows.ts';
import type { Row } from './row.ts';
import { VOTE_ROWS } from './vote-rows.ts';

const WITH_LOCAL = { local: { enabled: true } };
const OPEN_FOR_LONG = { breaker: { reset_ms: 60_000 } };
const OPEN_BRIEFLY = { breaker: { reset_ms: 10 } };
/** One failure opens a breaker. */
const TOUCHY = { breaker: { min_requests: 1, reset_ms: 60_000 } };
const ALL_FULL = { one: 'is full', two: 'is full', three: 'is full' } as const;
const ALL_FAIL = { one: 'fails', two: 'fails', three: 'fails' } as const;
const ALL_GONE = { one: 'is gone', two: 'is gone', three: 'is gone' } as const;
const ALL_DRAIN = { one: 'drains', two: 'drains', three: 'drains' } as const;
const ALL_LATE = { one: 'takes its time', two: 'takes its time', three: 'takes its time' } as const;

const OK = { code: 'OK', cache: 'MISS', grade: 'SINGLE', ballots: '' } as const;
const NEXT = { ...OK, engine: 'two' } as const;
const NO_ENGINE = { code: 'UNAVAILABLE', reason: 'NO_ENGINE', retryAfterMs: 500 } as const;
const ROUTER_FULL = { code: 'RESOURCE_EXHAUSTED', reason: 'ROUTER_FULL' } as const;
const ONE_FAULT = 'one ENGINE_FAULT, two OK';
const SINGLE = ['ROUND_ROBIN', 'LOCAL_FIRST', 'SIDECAR_FIRST', 'FASTEST', 'AFFINITY'] as const;

export const TABLE: Readonly<Record<string, readonly Row[]>> = {
  'while all engines work': [
    ...SINGLE.map((strategy) => ({
      name: `${strategy} asks one`,
      ask: { strategy },
      expected: { ...OK, strategy, attempts: 'one OK', calls: 'one 1', blamed: '', breakers: '' },
    })),
    {
      name: 'LOCAL_FIRST asks the local engine if there is one',
      settings: WITH_LOCAL,
      ask: { strategy: 'LOCAL_FIRST' },
      expected: { ...OK, attempts: 'local OK', calls: '' },
    },
    {
      name: 'SIDECAR_FIRST asks a sidecar although there is a local engine',
      settings: WITH_LOCAL,
      ask: { strategy: 'SIDECAR_FIRST' },
      expected: { ...OK, attempts: 'one OK' },
    },
    {
      name: 'REDUNDANT asks three',
      engines: ALL_LATE,
      ask: { strategy: 'REDUNDANT' },
      expected: { ...OK, grade: 'UNANIMOUS', ballots: 'one AGREED, three AGREED, two AGREED' },
    },
    {
      name: 'no strategy means the server’s',
      settings: { strategy: 'AFFINITY' },
      expected: { ...OK, strategy: 'AFFINITY' },
    },
  ],

  'while the first engine fails': [
    ...SINGLE.map((strategy) => ({
      name: `${strategy} asks the next`,
      engines: { one: 'fails' as const },
      ask: { strategy },
      expected: { ...NEXT, strategy, attempts: ONE_FAULT, blamed: 'one 1' },
    })),
    {
      name: 'LOCAL_FIRST asks a sidecar if the local engine cannot answer',
      settings: WITH_LOCAL,
      engines: { local: 'drains' },
      ask: { strategy: 'LOCAL_FIRST' },
      expected: { ...OK, attempts: 'one OK' },
    },
    {
      name: 'SIDECAR_FIRST asks the local engine if no sidecar can answer',
      settings: WITH_LOCAL,
      engines: ALL_DRAIN,
      ask: { strategy: 'SIDECAR_FIRST' },
      expected: { ...OK, attempts: 'local OK' },
    },
  ],

  'an engine that': [
    {
      name: 'dies with the request is LOST, and the next one is asked',
      engines: { one: 'dies' },
      expected: { ...NEXT, attempts: 'one ENGINE_LOST, two OK', blamed: 'one 1', breakers: 'one OPEN' },
    },
    {
      name: 'is gone is not asked',
      engines: { one: 'is gone' },
      expected: { ...OK, attempts: 'two OK', calls: 'two 1', breakers: 'one OPEN' },
    },
    {
      name: 'is stopped is LOST after stall_timeout_ms, and the next one is asked',
      settings: { stall_timeout_ms: 250 },
      engines: { one: 'stands still' },
      expected: { ...NEXT, attempts: 'one ENGINE_LOST, two OK', blamed: 'one 1', breakers: 'one OPEN' },
    },
    {
      name: 'runs but never answers is SLOW after attempt_timeout_ms, and the next one is asked',
      settings: { retry: { attempt_timeout_ms: 300 } },
      engines: { one: 'never answers' },
      expected: { ...NEXT, attempts: 'one ENGINE_SLOW, two OK', blamed: 'one 1', cancelledIn: 'one' },
    },
    {
      name: 'is full is not blamed, and the next one is asked',
      settings: TOUCHY,
      engines: { one: 'is full' },
      expected: { ...NEXT, attempts: 'one ENGINE_FULL, two OK', blamed: '', breakers: '' },
    },
    {
      name: 'is stopping is not blamed, and the next one is asked',
      settings: TOUCHY,
      engines: { one: 'is stopping' },
      expected: { ...NEXT, attempts: 'one DRAINING, two OK', blamed: '', breakers: '' },
    },
    {
      name: 'fails too often gets an open breaker',
      settings: TOUCHY,
      engines: { one: 'fails' },
      expected: { ...NEXT, attempts: ONE_FAULT, breakers: 'one OPEN' },
    },
    {
      name: 'has an open breaker is not asked',
      settings: OPEN_FOR_LONG,
      engines: { one: 'has an open breaker' },
      expected: { ...OK, attempts: 'two OK', calls: 'two 1', breakers: 'one OPEN' },
    },
    {
      name: 'has a half-open breaker is tried, and used again',
      settings: OPEN_BRIEFLY,
      engines: { one: 'has a half-open breaker' },
      expected: { ...OK, attempts: 'one OK', breakers: '' },
    },
    {
      name: 'fails the trial of a half-open breaker gets an open one again',
      engines: { one: 'has a half-open breaker, and fails' },
      expected: { ...NEXT, attempts: ONE_FAULT, calls: 'one 1, two 1', breakers: 'one OPEN' },
    },
    {
      name: 'is being tried gets no other request',
      settings: { ...OPEN_BRIEFLY, stall_timeout_ms: 10_000 },
      engines: { one: 'is being tried' },
      expected: { ...OK, attempts: 'two OK', calls: 'two 1', breakers: 'one HALF_OPEN' },
    },
    {
      name: 'drains is not asked',
      engines: { one: 'drains' },
      expected: { ...OK, attempts: 'two OK', calls: 'two 1', breakers: '' },
    },
  ],

  'when no engine can answer': [
    {
      name: 'and all are full, the router is full',
      engines: ALL_FULL,
      expected: { ...ROUTER_FULL, tried: 'one: ENGINE_FULL, two: ENGINE_FULL, three: ENGINE_FULL', retryAfterMs: 100 },
    },
    {
      name: 'because all fail, the error names every attempt',
      engines: ALL_FAIL,
      expected: { ...NO_ENGINE, tried: 'one: ENGINE_FAULT, two: ENGINE_FAULT, three: ENGINE_FAULT', others: '' },
    },
    {
      name: 'because all are lost, the error gives the state of each',
      engines: ALL_GONE,
      expected: { ...NO_ENGINE, tried: '', others: /^one: down: .+, two: down: .+, three: down: .+/ },
    },
    {
      name: 'because one drains, one is lost and one has an open breaker, the error says so',
      settings: OPEN_FOR_LONG,
      engines: { one: 'has an open breaker', two: 'drains', three: 'is gone' },
      expected: { ...NO_ENGINE, tried: '', others: /^one: breaker open, two: draining, three: down: .+/ },
    },
    {
      name: 'within a caller’s deadline that is shorter than a healthy engine’s pauses, none is blamed',
      settings: TOUCHY,
      engines: { one: 'never answers', two: 'never answers', three: 'never answers' },
      ask: { deadlineMs: 90 },
      expected: { code: 'DEADLINE_EXCEEDED', blamed: '', breakers: '' },
    },
    {
      name: 'because max_attempts were made, the others are not asked',
      settings: { retry: { max_attempts: 2 } },
      engines: ALL_FAIL,
      expected: { ...NO_ENGINE, tried: 'one: ENGINE_FAULT, two: ENGINE_FAULT', others: 'three: not asked' },
    },
    {
      name: 'because the retry budget is spent, the others are not asked',
      settings: { retry: { budget_percent: 0 } },
      engines: { one: 'fails' },
      expected: { ...NO_ENGINE, tried: 'one: ENGINE_FAULT', others: 'two: not asked, three: not asked' },
    },
    {
      name: 'because the router is at its limit, no engine is asked',
      settings: { max_in_flight: 1, stall_timeout_ms: 10_000 },
      earlier: 'another is under way',
      expected: { ...ROUTER_FULL, retryAfterMs: 100, calls: '' },
    },
  ],

  'a refusal by an engine is confirmed by another': [
    {
      name: 'and that one answers: the caller gets the answer',
      settings: TOUCHY,
      engines: { one: 'refuses the input' },
      expected: { code: 'OK', attempts: 'one INPUT_LENGTH, two OK', breakers: '' },
    },
    {
      name: 'and that one refuses, too: the caller gets the refusal, and no engine is blamed',
      settings: TOUCHY,
      ask: { model: 'overflow', encoding: [100] },
      expected: { code: 'OUT_OF_RANGE', reason: 'NON_FINITE', calls: 'one 1, two 1', blamed: '', breakers: '' },
    },
  ],

  'no other engine is asked, and none is blamed, when': [
    {
      name: 'the input is bad',
      settings: TOUCHY,
      ask: { encoding: [1] },
      expected: {
        code: 'INVALID_ARGUMENT',
        reason: 'INPUT_LENGTH',
        field: 'encoding',
        calls: '',
        blamed: '',
        breakers: '',
      },
    },
    {
      name: 'the model is unknown',
      ask: { model: 'nobody' },
      expected: { code: 'NOT_FOUND', reason: 'UNKNOWN_MODEL', field: 'model', calls: '' },
    },
    {
      name: 'the simulation overflows in a majority of voters',
      settings: TOUCHY,
      ask: { model: 'overflow', encoding: [100], strategy: 'REDUNDANT' },
      expected: { code: 'OUT_OF_RANGE', reason: 'NON_FINITE', blamed: '', breakers: '' },
    },
    {
      name: 'the caller cancels',
      settings: TOUCHY,
      engines: { one: 'never answers' },
      ask: { cancelled: true },
      expected: { code: 'CANCELLED', calls: 'one 1', blamed: '', breakers: '', cancelledIn: 'one' },
    },
  ],

  'REDUNDANT, while': VOTE_ROWS,
  'the cache, asked to': CACHE_ROWS,
};
