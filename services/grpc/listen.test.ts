import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Listener, listen, parseAddress } from './listen.ts';

let listener: Listener | undefined;

afterEach(() => listener?.close());

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:50051', { host: '::1', port: 50_051 }],
    ['unix:/run/a.sock', { path: '/run/a.sock' }],
    ['unix:///run/a.sock', { path: '/run/a.sock' }],
    ['unix:a.sock', { path: 'a.sock' }],
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each(['', 'localhost', 'localhost:', 'localhost:http', '/run/a.sock'])('throws for %j', (text) => {
    expect(() => parseAddress(text)).toThrow(`address "${text}" must be "host:port" or "unix:PATH"`);
  });
});

describe('listen', () => {
  it('listens on every address of a host name, on a port chosen by the system', async () => {
    let accepted = 0;
    listener = await listen('localhost:0', (socket) => {
      accepted += 1;
      socket.destroy();
    });
    for (const server of listener.servers) {
      const { address, port } = server.address() as { address: string; port: number };
      expect(port).toBe(listener.port);
      await once(connect(port, address), 'close');
    }
    expect(accepted).toBe(listener.servers.length);
  });

  it('rejects if the address is in use', async () => {
    listener = await listen('127.0.0.1:0', () => undefined);
    await expect(listen(`127.0.0.1:${listener.port}`, () => undefined)).rejects.toThrow('EADDRINUSE');
  });
});
