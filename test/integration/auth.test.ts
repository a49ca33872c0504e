// Setting `auth`: every rpc of the router, and every role, on both edges.
import { createHash } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publicPaths } from '../support/public-paths.ts';
import { ACCESS } from '../../services/auth/roles.ts';
import { ROLES, type Role } from '../../services/core/roles.ts';
import { DevelopmentCa } from '../support/certificates.ts';
import { readRefusal } from '../support/refusal.ts';
import { EDGES } from '../support/serve.ts';
import { type System, startSystem } from '../support/system.ts';

const ca = new DevelopmentCa();
ca.issue('--client', 'stranger');
const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
const auth = {
  tokens: ROLES.map((role) => ({ name: role, sha256: sha256(`token-${role}`), roles: [role] })),
  certificates: [{ name: 'client', roles: ['reason'] }],
};

const PATHS = publicPaths().filter((path) => path.startsWith('/tandem.v1.'));

it('every rpc of the public services has a row in the table of roles', () => {
  expect(PATHS.length).toBeGreaterThan(15);
  expect(PATHS.filter((path) => ACCESS[path] === undefined)).toEqual([]);
});

/** The code and the reason of a call with an empty message. */
async function outcome(client: grpc.Client, path: string, token?: string): Promise<string> {
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const error = await new Promise<grpc.ServiceError | null>((resolve) => {
    const call = client.makeServerStreamRequest(
      path,
      () => Buffer.alloc(0),
      (bytes) => bytes,
      {},
      metadata,
      { deadline: Date.now() + 5_000 },
    );
    call.once('data', () => {
      resolve(null);
      call.cancel();
    });
    call.once('error', (failure: grpc.ServiceError) => resolve(failure));
    call.once('end', () => resolve(null));
  });
  if (error === null) return 'OK';
  return `${grpc.status[error.code]} ${readRefusal(error).reason}`;
}

describe.each(EDGES)('auth on edge %s', (edge) => {
  let system: System;
  let client: grpc.Client;

  beforeAll(async () => {
    system = await startSystem({ edge, auth, tls: ca.tls, spawn: { count: 0 }, reflection: true });
    client = new grpc.Client(system.address, ca.credentials('stranger'));
  });

  afterAll(async () => {
    client.close();
    await system.stop();
  });

  it.each(PATHS.flatMap((path) => ROLES.map((role) => [path, role] as const)))('%s as %s', async (path, role) => {
    const isAllowed = (ACCESS[path] as readonly Role[]).includes(role);
    const ended = await outcome(client, path, `token-${role}`);
    if (isAllowed) expect(ended).not.toMatch(/UNAUTHENTICATED|ROLE_MISSING/);
    else expect(ended).toBe('PERMISSION_DENIED ROLE_MISSING');
  });

  it.each(PATHS)('%s without credentials', async (path) => {
    expect(await outcome(client, path)).toBe('UNAUTHENTICATED NO_CREDENTIALS');
  });

  it('needs no role for a health check', async () => {
    expect(await outcome(client, '/grpc.health.v1.Health/Check')).toBe('OK');
  });

  it('refuses a token that is not in the settings', async () => {
    expect(await outcome(client, '/tandem.v1.ReasoningService/Ping', 'token-nobody')).toBe(
      'UNAUTHENTICATED BAD_CREDENTIALS',
    );
  });

  it('accepts a certificate with the name of its caller, and refuses it with the token of another caller', async () => {
    const own = new grpc.Client(system.address, ca.credentials('client'));
    const ping = '/tandem.v1.ReasoningService/Ping';
    expect([await outcome(own, ping), await outcome(own, ping, 'token-operate')]).toEqual([
      'OK',
      'UNAUTHENTICATED BAD_CREDENTIALS',
    ]);
    own.close();
  });

  it('counts refusals by reason', async () => {
    const { body } = await system.prometheus.exposition('text/plain');
    expect(body).toMatch(/tandem_request_errors_total\{.*reason="NO_CREDENTIALS".*\} [1-9]/);
  });

  it.each([
    ['/healthz', undefined, 200],
    ['/metrics', undefined, 401],
    ['/metrics', 'Bearer token-reason', 403],
    ['/metrics', 'Bearer token-observe', 200],
    ['/', `Basic ${Buffer.from('me:token-operate').toString('base64')}`, 200],
    ['/', `Basic ${Buffer.from('me:guess').toString('base64')}`, 401],
  ])('HTTP %s with authorization %s is answered %d', async (path, authorization, status) => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await fetch(`http://${system.httpAddress}${path}`, { headers });
    await response.body?.cancel();
    expect(response.status).toBe(status);
  });
});
