// Settings of sessions, the state that the router keeps between the messages of a client.
import { z } from 'zod';
import { LIVE } from './live.ts';

export const sessionsSchema = z
  .strictObject({
    max: z.int().min(0).max(10_000_000).default(10_000).describe('Maximum open sessions; 0: none.'),
    max_per_caller: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(1_000)
      .describe('Maximum open sessions of one caller of setting `auth`. Without callers there, it has no effect.'),
    max_bytes: z
      .int()
      .min(1_048_576)
      .max(1_099_511_627_776)
      .default(268_435_456)
      .describe(
        'Memory of all open sessions, bytes. At the limit no session is opened. One caller of setting `auth` may use half.',
      ),
    max_waiting: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(256)
      .describe('Messages that may wait in one session, in addition to the running one; further ones are refused.'),
    idle_s: z
      .number()
      .min(0.1)
      .max(31_536_000)
      .default(600)
      .describe('A session without a message for this long ends, seconds.'),
    snapshot_bytes: z
      .int()
      .min(0)
      .max(16_777_216)
      .default(65_536)
      .describe(
        'A state up to this size, bytes, is fetched after each message. For a larger one, the router keeps the inputs since the last fetch and computes them again with the next message.',
      ),
    snapshot_steps: z
      .int()
      .min(1)
      .max(100_000)
      .default(64)
      .describe(
        'A larger state is fetched after this many steps, or once the inputs since then are larger than the state.',
      ),
  })
  .prefault({})
  .describe('Sessions of clients: state that is kept between messages.')
  .meta(LIVE);
