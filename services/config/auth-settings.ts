// Who may call the router.
import { z } from 'zod';
import { ROLES } from '../core/roles.ts';
import { LIVE } from './live.ts';

/** `reason`: ask models. `observe`: read engines, metrics and events. `operate`: change what runs. */
const roles = z
  .array(z.enum(ROLES))
  .min(1)
  .describe('reason: ask models; observe: read engines, metrics and events; operate: change what runs.');

const name = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w.@-]+$/, 'must be letters, digits, ".", "@", "_" and "-"');

const tokenSchema = z.strictObject({
  name: name.describe('Name of the caller.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the token, 64 lower-case hex digits; see "tandem config token"')
    .describe('SHA-256 of the bearer token, hex.'),
  roles,
});

const certificateSchema = z.strictObject({
  name: name.describe('A DNS name or the common name in the certificate of the caller, and its name.'),
  roles,
});

export const authSchema = z
  .strictObject({
    tokens: z.array(tokenSchema).max(1_024).default([]).describe('Callers that present a bearer token.'),
    certificates: z
      .array(certificateSchema)
      .max(1_024)
      .default([])
      .describe('Callers that present a certificate of `tls.client_ca`.'),
  })
  .prefault({})
  .describe('Once a caller is listed here, every call needs a role. While the lists are empty, no call does.')
  .meta(LIVE);
