// TLS resumes a session without its certificates. A session of an old CA must not outlive that CA.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type ConnectionOptions, TLSSocket, connect } from 'node:tls';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { DevelopmentCa } from '../../test/support/certificates.ts';
import { type Listener, listen } from './listen.ts';
import type { ServerCertificate } from './secure-server.ts';

let ca: DevelopmentCa;
let listener: Listener;
/** For each accepted connection: true if it resumed a session. */
let resumed: boolean[];
let failures: string[];

beforeEach(async () => {
  ca = new DevelopmentCa();
  [resumed, failures] = [[], []];
  const onSocket = (socket: Socket): void => {
    if (socket instanceof TLSSocket) resumed.push(socket.isSessionReused());
    socket.on('error', () => undefined);
    socket.end('hello');
  };
  const onHandshakeFailed = (why: string): void => void failures.push(why);
  listener = await listen('127.0.0.1:0', onSocket, { certificate: certificate(), onHandshakeFailed });
});

afterEach(() => {
  listener.close();
  ca.remove();
});

function certificate(): ServerCertificate {
  return { cert: ca.read('router.pem'), key: ca.read('router.key'), clientCa: ca.read('ca.pem') };
}

/** Resolves with the session ticket of the server when the connection has ended. */
async function visit(options: ConnectionOptions): Promise<Buffer | undefined> {
  const to = { host: '127.0.0.1', port: listener.port, ALPNProtocols: ['h2'], servername: 'localhost' };
  const socket = connect({ ...to, ...options }).resume();
  let ticket: Buffer | undefined;
  socket.on('session', (given: Buffer) => (ticket = given));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return ticket;
}

it('listen does not resume a session of an old CA after a renewal', async () => {
  const old = { ca: ca.read('ca.pem'), cert: ca.read('client.pem'), key: ca.read('client.key') };
  const session = await visit(old);
  await visit({ ...old, session });
  expect(resumed).toEqual([false, true]);
  for (const file of ['ca.pem', 'ca.key']) rmSync(ca.file(file));
  ca.issue();
  listener.renew(certificate());
  await visit({ ...old, session, rejectUnauthorized: false });
  expect(resumed).toHaveLength(2);
  expect(failures).toEqual(['SELF_SIGNED_CERT_IN_CHAIN']);
});
