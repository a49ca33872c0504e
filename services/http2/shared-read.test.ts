// Real sockets.
import { once } from 'node:events';
import { type AddressInfo, type Server, Socket, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import { connectShared, readChunks, takeOver } from './shared-read.ts';

let server: Server;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  server = createServer(onSocket).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function kept(socket: Socket): Socket {
  sockets.push(socket.on('error', () => undefined));
  return socket;
}

/** Its text so far, and the buffers of its chunks. */
function read(socket: Socket): { text: string; readonly memory: Set<ArrayBufferLike> } {
  const all = { text: '', memory: new Set<ArrayBufferLike>() };
  readChunks(socket, (chunk) => {
    all.text += chunk.toString();
    all.memory.add(chunk.buffer);
  });
  return all;
}

/** What the server got on each connection, in the order of connections. */
async function taking(): Promise<{ port: number; got: ReturnType<typeof read>[]; own: Socket[] }> {
  const [got, own]: [ReturnType<typeof read>[], Socket[]] = [[], []];
  const port = await listen((accepted) => {
    const socket = kept(takeOver(accepted));
    own.push(socket);
    got.push(read(socket));
  });
  return { port, got, own };
}

const written = (socket: Socket, text: string): Promise<void> =>
  new Promise((done) => socket.write(text, () => done()));
const soon = (): Promise<void> => new Promise((done) => setTimeout(done, 20));

describe('takeOver', () => {
  it('replaces an accepted socket on this version of Node.js', async () => {
    const replaced = new Promise<boolean>((resolve) => {
      void listen((accepted) => resolve(kept(takeOver(accepted)) !== accepted)).then((port) => kept(connect(port)));
    });
    expect(await replaced).toBe(true);
  });

  it('reads all connections into one buffer', async () => {
    const { port, got } = await taking();
    const clients = [kept(connect(port)), kept(connect(port))];
    for (const [k, client] of clients.entries()) await written(client, `from ${k}`);
    await until(() => got.filter(({ text }) => text !== '').length === 2, { what: 'the bytes of both' });
    expect(got.map(({ text }) => text).sort()).toEqual(['from 0', 'from 1']);
    expect(new Set(got.flatMap(({ memory }) => [...memory])).size).toBe(1);
  });

  it('keeps addresses, writes, and the end of both sides', async () => {
    const { port, own } = await taking();
    const client = kept(connect(port, '127.0.0.1'));
    await written(client, 'hello');
    await until(() => own.length === 1, { what: 'the connection' });
    const [socket] = own;
    expect([socket!.remoteAddress, socket!.remotePort]).toEqual(['127.0.0.1', client.localPort]);
    const answer = once(client, 'data');
    socket!.write('back');
    expect(String((await answer)[0])).toBe('back');
    const ended = once(socket!, 'end');
    const closed = once(client, 'close');
    client.end();
    await ended;
    await closed;
  });

  it('lets the server close when the connection has closed, not before', async () => {
    const { port, own } = await taking();
    const client = kept(connect(port));
    await written(client, 'hello');
    await until(() => own.length === 1, { what: 'the connection' });
    let isClosed = false;
    server.close(() => (isClosed = true));
    await soon();
    expect(isClosed).toBe(false);
    own[0]!.destroy();
    await once(client, 'close');
    await until(() => isClosed, { what: 'the end of the server' });
  });

  it('stops reading while it is paused', async () => {
    const { port, got, own } = await taking();
    const client = kept(connect(port));
    await written(client, 'one ');
    await until(() => got[0]?.text === 'one ', { what: 'the first word' });
    own[0]!.pause();
    await written(client, 'two');
    await soon();
    expect(got[0]!.text).toBe('one ');
    own[0]!.resume();
    await until(() => got[0]!.text === 'one two', { what: 'both words' });
  });

  it('returns a socket without a handle itself', () => {
    const socket = new Socket();
    expect(takeOver(socket)).toBe(socket);
    socket.destroy();
  });
});

describe('connectShared', () => {
  it('delivers early bytes to a later reader', async () => {
    const port = await listen((socket) => void kept(socket).write('early '));
    const client = kept(connectShared({ port, host: '127.0.0.1' }));
    await once(client, 'connect');
    await soon();
    sockets.find((socket) => socket !== client)!.write('late');
    await soon();
    const all = read(client);
    expect(all.text).toBe('');
    await until(() => all.text === 'early late', { what: 'both words' });
  });
});

describe('readChunks', () => {
  it('reads any other socket as a stream', async () => {
    const port = await listen((socket) => void kept(socket).end('hello'));
    const all = read(kept(connect(port)));
    await until(() => all.text === 'hello', { what: 'the text' });
  });
});
