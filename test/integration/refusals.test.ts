// Connections and calls that the router refuses at once: each with the right code, counted, and logged only now and then.
import { createHash } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { settingsSchema } from '../../services/config/schema.ts';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { DevelopmentCa } from '../support/certificates.ts';
import { type Refusal, readRefusal } from '../support/refusal.ts';
import { EDGES } from '../support/serve.ts';
import { type System, startSystem } from '../support/system.ts';

const ca = new DevelopmentCa();
const other = new DevelopmentCa();
ca.issue('--client', 'stranger');
ca.issue('--client', 'expired', '--days', '0');
ca.issueLater('later');
// The router's own connection, created again for each of them.
ca.issue('--client', 'client');

const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
const auth = {
  tokens: ['client', 'watcher', 'leaver'].map((name) => ({
    name,
    sha256: sha256(`token-${name}`),
    roles: [name === 'watcher' ? 'observe' : 'reason'],
  })),
  certificates: [{ name: 'client', roles: ['reason'] }],
};
const settings = { auth, tls: ca.tls, spawn: { count: 0 } };

/** The certificates of callers that trust the router of `ca`, which may not trust them. */
function signed(from: DevelopmentCa, name: string): grpc.ChannelCredentials {
  return grpc.credentials.createSsl(ca.read('ca.pem'), from.read(`${name}.key`), from.read(`${name}.pem`));
}

describe.each(EDGES)('a caller on edge %s', (edge) => {
  const lines: Record<string, string>[] = [];
  let system: System;

  beforeAll(async () => {
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
    system = await startSystem({ edge, ...settings }, log);
  });

  afterAll(() => system.stop());

  function ask(credentials: grpc.ChannelCredentials, token: string): Promise<Refusal | undefined> {
    const client = new ReasoningServiceClient(system.address, credentials, { 'grpc.use_local_subchannel_pool': 1 });
    const metadata = new grpc.Metadata();
    if (token !== '') metadata.set('authorization', `Bearer ${token}`);
    return new Promise((resolve) => {
      client.reason(ReasonRequest.fromPartial({}), metadata, { deadline: Date.now() + 5_000 }, (error) => {
        client.close();
        resolve(error ? readRefusal(error) : undefined);
      });
    });
  }

  /** The sum of a metric over all matching labels. */
  async function counted(metric: RegExp): Promise<number> {
    const { body } = await system.prometheus.exposition('text/plain');
    const values = body.split('\n').filter((line) => metric.test(line));
    return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  it.each([
    ['of another CA', () => signed(other, 'client')],
    ['that has expired', () => signed(ca, 'expired')],
    ['that is not valid yet', () => signed(ca, 'later')],
    ['of none', () => grpc.credentials.createSsl(ca.read('ca.pem'))],
  ])('with a certificate %s gets no connection', async (_what, credentials) => {
    const [before, linesBefore] = [await counted(/^tandem_tls_handshakes_failed_total /), lines.length];
    for (let at = 0; at < 3; at += 1) expect(await ask(credentials(), '')).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await counted(/^tandem_tls_handshakes_failed_total /)).toBeGreaterThanOrEqual(before + 3);
    const failed = lines.slice(linesBefore).filter(({ msg }) => msg === 'TLS handshake failed');
    expect(failed.length).toBeLessThan(3);
    expect(lines.some(({ msg }) => msg === 'TLS handshake failed')).toBe(true);
  });

  it.each([
    ['a certificate with another name', 'stranger', '', 'UNAUTHENTICATED', 'NO_CREDENTIALS'],
    ['an unknown token', 'stranger', 'token-guess', 'UNAUTHENTICATED', 'BAD_CREDENTIALS'],
    ['an invalid token', 'stranger', 'a b', 'UNAUTHENTICATED', 'BAD_CREDENTIALS'],
    ['a token with the wrong role', 'stranger', 'token-watcher', 'PERMISSION_DENIED', 'ROLE_MISSING'],
    ['another caller’s certificate with a valid token', 'client', 'token-leaver', 'UNAUTHENTICATED', 'BAD_CREDENTIALS'],
  ])('with %s is refused', async (_what, name, token, code, reason) => {
    const metric = new RegExp(`^tandem_request_errors_total\\{.*reason="${reason}"`);
    const [before, linesBefore] = [await counted(metric), lines.length];
    for (let at = 0; at < 5; at += 1) expect(await ask(signed(ca, name), token)).toMatchObject({ code, reason });
    expect(await counted(metric)).toBe(before + 5);
    const refused = lines.slice(linesBefore).filter(({ msg, name }) => msg === 'call refused' && name === reason);
    expect(refused.length).toBeLessThan(5);
    expect(lines.some(({ msg, name }) => msg === 'call refused' && name === reason)).toBe(true);
  });

  it('with a revoked token is refused from then on', async () => {
    const stranger = signed(ca, 'stranger');
    expect((await ask(stranger, 'token-leaver'))?.code).not.toBe('UNAUTHENTICATED');
    const tokens = auth.tokens.filter(({ name }) => name !== 'leaver');
    await system.reload(() => ({ ...system.settings, auth: settingsSchema.parse({ auth: { ...auth, tokens } }).auth }));
    expect(await ask(stranger, 'token-leaver')).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'BAD_CREDENTIALS' });
    expect((await ask(stranger, 'token-client'))?.code).not.toBe('UNAUTHENTICATED');
  });

  it('is not answered by a router with another name', async () => {
    const port = system.address.split(':').at(-1);
    const elsewhere = new ReasoningServiceClient(`127.0.0.1:${port}`, signed(ca, 'client'), {
      'grpc.ssl_target_name_override': 'elsewhere.example',
    });
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      elsewhere.ping({}, new grpc.Metadata(), { deadline: Date.now() + 2_000 }, (failure) => resolve(failure));
    });
    elsewhere.close();
    expect(error?.code).toBe(grpc.status.UNAVAILABLE);
  });
});
