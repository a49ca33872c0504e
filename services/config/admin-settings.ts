// Settings of the administrative address, which takes calls that change what runs.
import { isIP } from 'node:net';
import { z } from 'zod';
import { LISTEN } from './addresses.ts';
import type { authSchema } from './auth-settings.ts';
import { LIVE, RESTART } from './live.ts';
import type { tlsSchema } from './security-settings.ts';

/** Loopback, private networks, and Unix sockets. */
const ENGINE_ADDRESSES = [
  ...['127.0.0.0/8', '::1/128', 'unix:'],
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
];

const rule = z
  .string()
  .refine(
    isRule,
    'must be a network such as "10.0.0.0/8", a host name, "*." and a domain, or "unix:" and the start of a path',
  );

export const adminSchema = z
  .strictObject({
    listen: z
      .string()
      .regex(
        new RegExp(`^(off)?$|^unix:.+$|${LISTEN.source}`),
        'must be "unix:PATH", "off", or "host:port" with mutual TLS',
      )
      .default('')
      .describe(
        'Address for administrative calls: a Unix socket in a folder that only its owner may enter. Empty: router-PORT.sock, with the port of `listen`, in $XDG_RUNTIME_DIR/tandem or ~/.tandem/run. A "host:port" needs `tls.client_ca` and a caller with role operate. "off": none.',
      )
      .meta(RESTART),
    engine_addresses: z
      .array(rule)
      .max(256)
      .default(ENGINE_ADDRESSES)
      .describe('Addresses that RegisterEngine accepts: networks, host names, and prefixes of socket paths.'),
  })
  .prefault({})
  .describe('Calls that change what runs. On `listen` they need a caller of `auth` with role operate.')
  .meta(LIVE);

interface Door {
  readonly admin: z.infer<typeof adminSchema>;
  readonly tls: z.infer<typeof tlsSchema>;
  readonly auth: z.infer<typeof authSchema>;
}

/** Refuses an administrative address without authentication. */
export function checkAdmin({ admin, tls, auth }: Door, context: z.RefinementCtx): void {
  if (['', 'off'].includes(admin.listen) || admin.listen.startsWith('unix:')) return;
  const problem = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
  if (tls.client_ca === '') {
    problem(['tls', 'client_ca'], 'must be set where "admin.listen" is "host:port": administrators show a certificate');
  }
  if ([...auth.tokens, ...auth.certificates].some(({ roles }) => roles.includes('operate'))) return;
  const message = 'must list a caller with role operate where "admin.listen" is "host:port"';
  problem(['auth', 'certificates'], message);
}

function isRule(text: string): boolean {
  if (text.startsWith('unix:')) return true;
  const [network = '', bits, ...more] = text.split('/');
  const family = isIP(network);
  if (more.length > 0) return false;
  if (family === 0) return bits === undefined && /^(\*\.)?([A-Za-z0-9_-]+\.)*[A-Za-z_][A-Za-z0-9_-]*$/.test(text);
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
