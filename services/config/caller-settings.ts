// Limits for each caller.
import { z } from 'zod';
import { LIVE } from './live.ts';

const limit = z.int().min(0).max(1_000_000_000).default(0);

export const callersSchema = z
  .strictObject({
    per_s: limit.describe(
      'Requests a second, which is also the largest burst; each item of a batch or stream counts as one. ReasonStream waits, other calls are refused. 0: no limit.',
    ),
    max_calls: limit.describe('Open calls, including streams. 0: no limit.'),
    max_items: limit.describe('Items of batches and streams in flight; a single batch always fits. 0: no limit.'),
    max_bytes: limit.describe('Bytes of requests that are arriving or in flight. 0: no limit.'),
  })
  .prefault({})
  .describe(
    'Limits for each caller: by name in `auth`, or by address if callers have no names. Waiting callers take turns in any case.',
  )
  .meta(LIVE);
