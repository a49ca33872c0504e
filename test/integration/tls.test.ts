// TLS and client certificates, on both edges, and over HTTP.
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CERTIFICATE_POLL_MS } from '../../services/auth/certificates.ts';
import { ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { DevelopmentCa } from '../support/certificates.ts';
import { EDGES } from '../support/serve.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const ca = new DevelopmentCa();

/** Resolves to "pong", or rejects with the client library's error. */
function pingOver(client: ReasoningServiceClient): Promise<string> {
  const deadline = Date.now() + 5_000;
  return new Promise((resolve, reject) => {
    client.ping({}, new grpc.Metadata(), { deadline }, (error, response) =>
      error ? reject(error) : resolve(response.message),
    );
  });
}

async function ping(address: string, credentials: grpc.ChannelCredentials): Promise<string> {
  const client = new ReasoningServiceClient(address, credentials);
  try {
    return await pingOver(client);
  } finally {
    client.close();
  }
}

/** Clients that trust the router, which does not trust them. */
function signedBy({ key, cert }: { readonly key: Buffer; readonly cert: Buffer }): grpc.ChannelCredentials {
  return grpc.credentials.createSsl(ca.read('ca.pem'), key, cert);
}

function ofAnotherCa(): grpc.ChannelCredentials {
  const other = new DevelopmentCa();
  return signedBy({ key: other.read('client.key'), cert: other.read('client.pem') });
}

/** The certificate expires at once. */
function expired(): grpc.ChannelCredentials {
  ca.issue('--client', 'late', '--days', '0');
  return signedBy({ key: ca.read('late.key'), cert: ca.read('late.pem') });
}

/** The certificate that the router presents now, DER. */
async function shownTo(address: string): Promise<Buffer> {
  const [host, port] = address.split(':');
  const files = { ca: ca.read('ca.pem'), cert: ca.read('client.pem'), key: ca.read('client.key') };
  const socket = connect({ host, port: Number(port), ALPNProtocols: ['h2'], ...files });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw;
}

describe.each(EDGES)('TLS on edge %s', (edge) => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ edge, tls: ca.tls, spawn: { count: 0 } });
  });

  afterAll(() => system.stop());

  it('answers a client with a certificate of its CA', async () => {
    expect(await ping(system.address, ca.credentials('client'))).toBe('pong');
  });

  it('refuses, counts and reports a client without a certificate', async () => {
    await expect(ping(system.address, ca.credentials())).rejects.toThrow('UNAVAILABLE');
    const { body } = await system.prometheus.exposition('text/plain');
    expect(body).toMatch(/^tandem_tls_handshakes_failed_total [1-9]/m);
  });

  it.each([
    ['of another CA', ofAnotherCa],
    ['that has expired', expired],
  ])('refuses a client with a certificate %s', async (_what, credentials) => {
    await expect(ping(system.address, credentials())).rejects.toThrow('UNAVAILABLE');
  });

  it('refuses plaintext', async () => {
    await expect(ping(system.address, grpc.credentials.createInsecure())).rejects.toThrow('UNAVAILABLE');
  });

  it('uses a renewed certificate for new connections, and keeps open ones', async () => {
    const old = new ReasoningServiceClient(system.address, ca.credentials('client'));
    expect(await pingOver(old)).toBe('pong');
    ca.issue();
    await until(async () => (await shownTo(system.address)).equals(new X509Certificate(ca.read('router.pem')).raw), {
      what: 'the new certificate',
      timeoutMs: 4 * CERTIFICATE_POLL_MS,
    });
    expect(await pingOver(old)).toBe('pong');
    old.close();
  });
});

describe('HTTP on an address that other machines reach', () => {
  it('speaks TLS', async () => {
    const system = await startSystem({ http_listen: '0.0.0.0:0', tls: ca.tls, spawn: { count: 0 } });
    try {
      const port = system.httpAddress.slice(system.httpAddress.lastIndexOf(':') + 1);
      const status = await new Promise((resolve, reject) => {
        const sent = request({ host: 'localhost', port, path: '/healthz', ca: ca.read('ca.pem') }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.once('error', reject);
        sent.end();
      });
      expect(status).toBe(200);
    } finally {
      await system.stop();
    }
  });
});
