// The rows about the result cache.
import type { Row } from './row.ts';

const COMPUTED = { code: 'OK', grade: 'SINGLE', attempts: 'one OK', calls: 'one 1' } as const;
const KEPT = { code: 'OK', attempts: '', calls: '' } as const;
const NO_ENGINE = { code: 'UNAVAILABLE', reason: 'NO_ENGINE', retryAfterMs: 500 } as const;
const SOON_STALE = { cache: { ttl_ms: 0 } };
const ALL_GONE = { one: 'is gone', two: 'is gone', three: 'is gone' } as const;
const ALL_FULL = { one: 'is full', two: 'is full', three: 'is full' } as const;
const ALL_FAIL = { one: 'fails', two: 'fails', three: 'fails' } as const;

export const CACHE_ROWS: readonly Row[] = [
  { name: 'USE without an answer', ask: { cache: 'USE' }, expected: { ...COMPUTED, cache: 'MISS' } },
  { name: 'BYPASS', ask: { cache: 'BYPASS' }, expected: { ...COMPUTED, cache: 'BYPASSED' } },
  { name: 'REFRESH without an answer', ask: { cache: 'REFRESH' }, expected: { ...COMPUTED, cache: 'MISS' } },
  {
    name: 'do nothing, by the settings',
    settings: { cache: { enabled: false } },
    expected: { ...COMPUTED, cache: 'BYPASSED' },
  },
  {
    name: 'USE a stored answer',
    earlier: 'was answered',
    ask: { cache: 'USE' },
    expected: { ...KEPT, cache: 'HIT', grade: 'SINGLE', engine: 'one' },
  },
  {
    name: 'BYPASS a stored answer',
    earlier: 'was answered',
    ask: { cache: 'BYPASS' },
    expected: { ...COMPUTED, cache: 'BYPASSED' },
  },
  {
    name: 'REFRESH a stored answer',
    earlier: 'was answered',
    ask: { cache: 'REFRESH' },
    expected: { ...COMPUTED, cache: 'MISS' },
  },
  {
    name: 'USE an expired answer',
    settings: SOON_STALE,
    earlier: 'was answered',
    expected: { ...COMPUTED, cache: 'MISS' },
  },
  {
    name: 'USE a running computation',
    settings: { stall_timeout_ms: 10_000 },
    earlier: 'is under way',
    expected: { ...KEPT, cache: 'COALESCED', grade: 'SINGLE', engine: 'one' },
  },
  {
    name: 'USE a stored verdict',
    earlier: 'was answered',
    ask: { strategy: 'REDUNDANT' },
    expected: { ...KEPT, cache: 'HIT', grade: 'UNANIMOUS' },
  },
  {
    name: 'USE a fresh answer when all engines are lost',
    earlier: 'was answered',
    engines: ALL_GONE,
    expected: { ...KEPT, cache: 'HIT', grade: 'SINGLE' },
  },
  {
    name: 'USE an expired answer when all engines are lost',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_GONE,
    expected: { ...KEPT, cache: 'STALE', grade: 'STALE', engine: 'one' },
  },
  {
    name: 'USE an expired answer when all engines are full',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_FULL,
    expected: { code: 'OK', cache: 'STALE', grade: 'STALE', attempts: '', calls: 'one 1, two 1, three 1' },
  },
  {
    name: 'USE an expired answer when all engines fail',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_FAIL,
    expected: { code: 'OK', cache: 'STALE', grade: 'STALE', attempts: '', calls: 'one 1, two 1, three 1' },
  },
  {
    name: 'USE an expired verdict when too few engines are left for a vote',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: { two: 'drains', three: 'drains' },
    ask: { strategy: 'REDUNDANT' },
    expected: { code: 'OK', cache: 'STALE', grade: 'STALE', attempts: '' },
  },
  {
    name: 'USE an answer that is too old when all engines are lost',
    settings: { cache: { ttl_ms: 0, stale_ms: 0 } },
    earlier: 'was answered',
    engines: ALL_GONE,
    expected: NO_ENGINE,
  },
  {
    name: 'BYPASS a stored answer when all engines are lost',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_GONE,
    ask: { cache: 'BYPASS' },
    expected: NO_ENGINE,
  },
  {
    name: 'REFRESH a stored answer when all engines are lost',
    settings: SOON_STALE,
    earlier: 'was answered',
    engines: ALL_GONE,
    ask: { cache: 'REFRESH' },
    expected: NO_ENGINE,
  },
];
