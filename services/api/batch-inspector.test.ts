import { beforeEach, describe, expect, it } from '@jest/globals';
import { silent } from '../../test/fakes/fake-parts.ts';
import { type CallerLimits, NO_LIMITS } from '../auth/caller-account.ts';
import { CallerAccounts } from '../auth/caller-accounts.ts';
import { Code, type Status } from '../grpc/status.ts';
import { countItems } from './batch-inspector.ts';

let ended: [method: string, outcome: string, durationMs: number][];

beforeEach(() => {
  ended = [];
});

/** The results of chunks with these numbers of items, of which a batch may have 3. */
function inspect(items: readonly number[], limits?: Partial<CallerLimits>): (Status | undefined)[] {
  const observer = { ...silent, requestEnded: (...each: (typeof ended)[number]) => void ended.push(each) };
  const owner = limits && new CallerAccounts({ ...NO_LIMITS, ...limits }).of('robot', '');
  owner?.enter(1, true);
  const take = countItems({ maxBatchItems: 3, observer }, owner);
  return items.map((count) => take(Buffer.alloc(2 * count, Uint8Array.of(0x0a, 0))) ?? undefined);
}

describe('countItems', () => {
  it('accepts a batch with the largest number of items', () => {
    expect([inspect([1, 2]), ended]).toEqual([[undefined, undefined], []]);
  });

  it('refuses a batch with one item more, and counts it', () => {
    const [first, second] = inspect([2, 2]);
    expect([first, second!.message]).toEqual([undefined, expect.stringMatching(/^more than 3 requests in one batch/)]);
    expect(ended).toMatchObject([['ReasonBatch', 'BATCH_TOO_LARGE', expect.any(Number)]]);
    expect(ended[0]![2]).toBeGreaterThanOrEqual(0);
    expect(ended[0]![2]).toBeLessThan(10_000);
  });

  it('refuses a batch with more items than its caller may have', () => {
    const [first, second] = inspect([1, 1], { maxItems: 2 });
    expect([first, second?.code]).toEqual([undefined, Code.RESOURCE_EXHAUSTED]);
    expect(ended.map(([, outcome]) => outcome)).toEqual(['CALLER_LIMIT']);
  });
});
