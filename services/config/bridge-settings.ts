// Settings of the bridge for clients of the old protocol.
import { z } from 'zod';
import { LISTEN } from './addresses.ts';

const MIB = 1_048_576;

export const bridgeSchema = z
  .strictObject({
    listen: z
      .string()
      .regex(new RegExp(`^(off)?$|^unix:.+$|${LISTEN.source}`), 'must be "host:port", "unix:PATH", or "off"')
      .default('')
      .describe(
        'Address for clients of the old protocol: one JSON object per line over TCP (docs/migrating.md). Empty or "off": none. There is no TLS: an address that other machines reach needs `insecure: true`.',
      ),
    max_line_bytes: z
      .int()
      .min(256)
      .max(64 * MIB)
      .default(MIB)
      .describe('Largest line, bytes.'),
    max_connections: z.int().min(1).max(1_024).default(64).describe('Maximum open connections.'),
    reset: z
      .boolean()
      .default(false)
      .describe(
        'Whether every caller of the bridge may reset the metrics, as in the old protocol. If `auth` lists callers, role operate is required instead.',
      ),
  })
  .prefault({})
  .describe('A bridge for clients of the old protocol.');
