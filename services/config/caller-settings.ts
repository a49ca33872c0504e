// How much one caller may take of the router.
import { z } from 'zod';
import { LIVE } from './live.ts';

const limit = z.int().min(0).max(1_000_000_000).default(0);

export const callersSchema = z
  .strictObject({
    per_s: limit.describe(
      'Requests a second, and as many at once; each item of a batch or stream is one. 0: no limit.',
    ),
    max_calls: limit.describe('Calls open at once, streams among them. 0: no limit.'),
    max_items: limit.describe(
      'Items of batches and streams under way at once; a single batch always fits. 0: no limit.',
    ),
    max_bytes: limit.describe('Bytes of requests that come in or are under way at once. 0: no limit.'),
  })
  .prefault({})
  .describe(
    'Limits of each caller: of a name in `auth`, or of an address where callers have no names. Callers that wait take turns in any case.',
  )
  .meta(LIVE);
