// The part of the table that is about the result cache.
import type { Row } from './row.ts';

const COMPUTED = { code: 'OK', grade: 'SINGLE', attempts: 'one OK', calls: 'one 1' } as const;
const KEPT = { code: 'OK', attempts: '', calls: '' } as const;
const NO_ENGINE = { code: 'UNAVAILABLE', reason: 'NO_ENGINE', retryAfterMs: 500 } as const;
const SOON_STALE = { cache: { ttl_ms: 0 } };
const ALL_GONE = { one: 'is gone', two: 'is gone', three: 'is gone' } as const;
const ALL_FULL = { one: 'is full', two: 'is full', three: 'is full' } as const;
const ALL_FAIL = { one: 'fails', two: 'fails', three: 'fails' } as const;

export const CACHE_ROWS: readonly Row[] = [
  { name: 'USE what is not there', ask: { cache: 'USE' }, expected: { ...COMPUTED, cache: 'MISS' } },
  { name: 'BYPASS', ask: { cache: 'BYPASS' }, expected: { ...COMPUTED, cache: 'BYPASSED' } },
  { name: 'REFRESH what is not there', ask: { cache: 'REFRESH' }, expected: { ...COMPUTED, cache: 'MISS' } },
  {
    name: 'do nothing by the settings',
    settings: { cache: { enabled: false } },
    expected: { ...COMPUTED, cache: 'BYPASSED' },
  },
  {
    name: 'USE what is there',
    earlier: 'was answered',
    ask: { cache: 'USE' },
    expected: { ...KEPT, cache: 'HIT', grade: 'SINGLE', engine: 'one' },
  },
  {
    name: 'BYPASS what is there',
    earlier: 'was answered',
    ask: { cache: 'BYPASS' },
    expected: { ...COMPUTED, cache: 'BYPASSED' },
  },
  {
    name: 'REFRESH what is there',
    earlier: 'was answered',
    ask: { cache: 'REFRESH' },
    expected: { ...COMPUTED, cache: 'MISS' },
  },
  {
    name: 'USE what is past its time',
    settings: SOON_STALE,
    earlier: 'was answered',
    expected: { ...COMPUTED, cache: 'MISS' },
  },
  {
    name: 'USE what is being computed',
    settings: { stall_timeout_ms: 10_000 },
    earlier: 'is under way',
    expected: { ...KEPT, cache: 'COALESCED', grade: 'SINGLE', engine: 'one' },
  },
  {
    name: 'USE the verdict that is there',
    earlier: 'was answered',
    ask: { strategy: 'REDUNDANT' },
    expected: { ...KEPT, cache: 'HIT', grade: 'UNANIMOUS' },
  },
  {
    name: 'USE what is fresh when all engines are gone',
    earlier: 'was answered',
    engines: ALL_GONE,
    expected: { ...KEPT, cache: 'HIT', grade: 'SINGLE' },
  },
  {
    name: 'USE what is past its time when all engines are gone',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_GONE,
    expected: { ...KEPT, cache: 'STALE', grade: 'STALE', engine: 'one' },
  },
  {
    name: 'USE what is past its time when all engines are full',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_FULL,
    expected: { code: 'OK', cache: 'STALE', grade: 'STALE', attempts: '', calls: 'one 1, two 1, three 1' },
  },
  {
    name: 'USE what is past its time when all engines fail',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_FAIL,
    expected: { code: 'OK', cache: 'STALE', grade: 'STALE', attempts: '', calls: 'one 1, two 1, three 1' },
  },
  {
    name: 'USE a verdict past its time when too few engines are left for a vote',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: { two: 'drains', three: 'drains' },
    ask: { strategy: 'REDUNDANT' },
    expected: { code: 'OK', cache: 'STALE', grade: 'STALE', attempts: '' },
  },
  {
    name: 'USE what is too old even for that when all engines are gone',
    settings: { cache: { ttl_ms: 0, stale_ms: 0 } },
    earlier: 'was answered',
    engines: ALL_GONE,
    expected: NO_ENGINE,
  },
  {
    name: 'BYPASS when all engines are gone, whatever is there',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_GONE,
    ask: { cache: 'BYPASS' },
    expected: NO_ENGINE,
  },
  {
    name: 'REFRESH when all engines are gone, whatever is there',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_GONE,
    ask: { cache: 'REFRESH' },
    expected: NO_ENGINE,
  },
];
