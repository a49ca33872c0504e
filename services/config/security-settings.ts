// Settings of TLS and plaintext.
import { z } from 'zod';
import { isLoopbackAddress } from '../core/loopback.ts';
import type { AgentSettings } from './agent-settings.ts';
import { postgresUrlProblem } from './postgres-settings.ts';

export const tlsSchema = z
  .strictObject({
    cert: z
      .string()
      .default('')
      .describe('PEM file with the certificate of the router and its intermediates; empty: no TLS.'),
    key: z.string().default('').describe('PEM file with the private key of `tls.cert`.'),
    client_ca: z
      .string()
      .default('')
      .describe(
        'PEM file with the CAs that sign client certificates; callers must present one. Empty: no certificate is required.',
      ),
  })
  .prefault({})
  .describe(
    'TLS 1.3 for `listen`, and for `http_listen` on an address other machines reach. Changed files are read again.',
  );

export const insecureSchema = z
  .boolean()
  .default(false)
  .describe('Accept plaintext on addresses that other machines reach.');

interface Exposure {
  readonly listen: string;
  readonly http_listen: string;
  readonly bridge: { readonly listen: string };
  readonly insecure: boolean;
  readonly tls: z.infer<typeof tlsSchema>;
  readonly agents: AgentSettings;
}

/** Refuses plaintext to other machines without `insecure`, and incomplete TLS settings. */
export function checkExposure(settings: Exposure, context: z.RefinementCtx): void {
  const { tls, insecure } = settings;
  const problem = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
  if (tls.cert !== '' && tls.key === '')
    problem(['tls', 'key'], 'must be the PEM file with the private key of "tls.cert"');
  if (tls.cert === '' && tls.key !== '')
    problem(['tls', 'cert'], 'must be the PEM file with the certificate of "tls.key"');
  if (tls.cert === '' && tls.client_ca !== '') {
    problem(['tls', 'cert'], 'must be set where "tls.client_ca" is: without TLS there are no client certificates');
  }
  checkProvider(settings, problem);
  const postgresProblem = postgresUrlProblem(settings.agents.postgres.url, insecure);
  if (postgresProblem !== undefined) problem(['agents', 'postgres', 'url'], postgresProblem);
  const exposedPort = (address: string): string | undefined =>
    isLoopbackAddress(address) ? undefined : /:(\d+)$/.exec(address)?.[1]; // off, a Unix socket, or malformed: reported elsewhere
  if (insecure) return;
  const bridgePort = exposedPort(settings.bridge.listen);
  if (bridgePort !== undefined) {
    const advice = 'other machines reach it, and it has no TLS. Use gRPC there, or write "insecure: true"';
    problem(['bridge', 'listen'], `must be a loopback address such as "127.0.0.1:${bridgePort}": ${advice}`);
  }
  if (tls.cert !== '') return;
  for (const key of ['listen', 'http_listen'] as const) {
    const port = exposedPort(settings[key]);
    if (port === undefined) continue;
    const advice = 'other machines reach it, in plaintext. Set "tls.cert" and "tls.key", or write "insecure: true"';
    problem([key], `must be a loopback address such as "127.0.0.1:${port}": ${advice}`);
  }
}

/** Refuses a provider without a model, and one that would get prompts and the key in plaintext. */
function checkProvider(
  { agents: { provider }, insecure }: Exposure,
  problem: (path: string[], message: string) => void,
): void {
  const { base_url: baseUrl, model } = provider;
  if (baseUrl === '') return;
  if (model === '') problem(['agents', 'provider', 'model'], 'must be set where "agents.provider.base_url" is');
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined) {
    problem(['agents', 'provider', 'base_url'], 'must be an address such as "https://api.openai.com/v1"');
    return;
  }
  if (url.protocol === 'https:' || insecure || isLoopbackAddress(`${url.hostname}:${url.port || '80'}`)) return;
  const advice = 'plaintext would go to another machine. Write "https://", or "insecure: true"';
  problem(['agents', 'provider', 'base_url'], `must be https: ${advice}`);
}
