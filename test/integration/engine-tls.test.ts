// TLS between the router and its engines, in both directions.
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { DevelopmentCa } from '../support/certificates.ts';
import { readHeldout } from '../support/heldout.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

const ca = new DevelopmentCa();
const other = new DevelopmentCa();
const FILES = [
  '--tls-cert',
  ca.file('engine.pem'),
  '--tls-key',
  ca.file('engine.key'),
  '--tls-client-ca',
  ca.file('ca.pem'),
];
const TLS = { ca: ca.file('ca.pem'), cert: ca.file('router.pem'), key: ca.file('router.key') };
const tensor = { shape: [768], dtype: 'FP32', data: readHeldout()[0]!.data };

let sidecar: RunningSidecar;
let system: System;

beforeAll(async () => {
  sidecar = await startSidecar(SUPERSENSE, { args: FILES });
});

afterAll(() => sidecar.stop());

afterEach(() => system.stop());

async function start(engineTls: Record<string, string>): Promise<void> {
  const sidecars = [{ id: 'secured', address: sidecar.address }];
  system = await startSystem({ spawn: { count: 0 }, local: { enabled: false }, sidecars, sidecar_tls: engineTls });
}

const downReason = (): string => system.pool.find('secured').engine.downReason;

it('answers a router with a certificate of its CA', async () => {
  await start(TLS);
  expect((await system.reason({ tensor })).engine?.engineId).toBe('secured');
});

it.each([
  ['plaintext', {}, /its connection was lost|unreachable|closes every connection/],
  ['no certificate', { ca: TLS.ca }, /certificate required|unreachable|lost|closes every connection/],
  [
    'a certificate of another CA',
    { ca: TLS.ca, cert: other.file('router.pem'), key: other.file('router.key') },
    /unknown ca|unreachable|lost|closes every connection/i,
  ],
])('refuses a router with %s', async (_what, files, why) => {
  await start(files);
  expect(downReason()).toMatch(why);
});

it.each([
  ['of another CA', { ...TLS, ca: other.file('ca.pem') }, /unreachable: .*(self-signed|unable to (get|verify))/],
  ['with another name', { ...TLS, server_name: 'elsewhere.example' }, /unreachable: .*does not match certificate/],
])('is not trusted with a certificate %s', async (_what, files, why) => {
  await start(files);
  expect(downReason()).toMatch(why);
});

it('shows a renewed certificate to new connections', async () => {
  await start(TLS);
  ca.issue();
  const renewed = new X509Certificate(ca.read('engine.pem')).raw;
  const [host, port] = sidecar.address.split(':');
  const shown = async (): Promise<Buffer> => {
    const files = { ca: ca.read('ca.pem'), cert: ca.read('router.pem'), key: ca.read('router.key') };
    const socket = connect({ host, port: Number(port), ALPNProtocols: ['h2'], ...files });
    await once(socket, 'secureConnect');
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return raw;
  };
  await until(async () => (await shown()).equals(renewed), { what: 'the new certificate', timeoutMs: 20_000 });
  expect((await system.reason({ tensor })).engine?.engineId).toBe('secured');
});
