import { mkdirSync, mkdtempSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultAdminSocket } from '../config/admin-socket.ts';
import { adminOptions } from './admin-options.ts';

const runtime = mkdtempSync(join(tmpdir(), 'tandem-runtime-'));
const socket = `unix:${runtime}/tandem/router-50051.sock`;
const usual = (address: string): string => defaultAdminSocket(address, { XDG_RUNTIME_DIR: runtime });
let server: Server;

beforeAll(async () => {
  mkdirSync(join(runtime, 'tandem'));
  server = createServer();
  await new Promise<void>((resolve) => server.listen(socket.slice('unix:'.length), resolve));
});

afterAll(() => {
  server.close();
});

describe('adminOptions', () => {
  const local = { address: '127.0.0.1:50051' };

  it.each([
    ['to the socket of the router at its address', local, socket],
    ['to the router if there is no such socket', { address: '127.0.0.1:50052' }, '127.0.0.1:50052'],
    ['to the router of another machine', { address: '10.0.0.7:50051' }, '10.0.0.7:50051'],
    ['to the router if there is a token', { ...local, token: 'x' }, '127.0.0.1:50051'],
    ['to the router if there is a client certificate', { ...local, cert: 'a', key: 'b', ca: 'c' }, '127.0.0.1:50051'],
    ['to the address of --admin', { ...local, admin: 'unix:/run/x.sock' }, 'unix:/run/x.sock'],
    ['to the address of --admin with a token', { ...local, token: 'x', admin: '10.0.0.7:1' }, '10.0.0.7:1'],
  ])('send the call %s', (_where, options, address) => {
    expect(adminOptions(options, usual).address).toBe(address);
  });

  it('need neither TLS nor a token for a socket', () => {
    const { ca, token } = adminOptions({ ...local, ca: 'ca.pem', token: 'x', admin: 'unix:/run/x.sock' });
    expect([ca, token]).toEqual([undefined, undefined]);
  });
});

describe('defaultAdminSocket', () => {
  it('differs between routers', () => {
    expect(usual('0.0.0.0:50051')).toBe(socket);
    expect(new Set(['[::1]:50052', 'unix:/a', 'unix:/b', '127.0.0.1:50051'].map(usual)).size).toBe(4);
  });

  it('is in the home folder without a usable runtime folder', () => {
    for (const folder of [undefined, '/no/such/folder']) {
      expect(defaultAdminSocket('x:1', { XDG_RUNTIME_DIR: folder })).toMatch(/\/\.tandem\/run\/router-1\.sock$/);
    }
  });
});
