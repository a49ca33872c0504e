import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Served, serve } from '../../test/support/serve.ts';
import { frame, PREFACE, settings, uint32 } from '../../test/support/http2-peer.ts';
import type { ConnectionFault } from '../telemetry/connection-faults.ts';

let server: Served;

afterEach(() => server.stop());

/** What the router tells of a connection on which `sent` was sent, and which its client then ends. */
async function faultsAfter(...sent: (Buffer | string)[]): Promise<ConnectionFault[]> {
  const faults: ConnectionFault[] = [];
  server = await serve([], 'native', { onConnectionFault: (fault) => void faults.push(fault) });
  const socket = connect(server.port, '127.0.0.1').resume();
  for (const piece of sent) socket.write(piece);
  socket.end();
  await once(socket, 'close');
  return faults;
}

describe('the end of a connection', () => {
  it('is no fault where its client has closed it', async () => {
    expect(await faultsAfter(PREFACE, settings())).toEqual([]);
  });

  it('by what its client did is told with its kind', async () => {
    const [fault] = await faultsAfter(PREFACE, frame('PING', 0, 0, Buffer.alloc(8)));
    expect(fault).toEqual({
      kind: 'PROTOCOL_ERROR',
      text: 'the first frame is not SETTINGS',
      peer: expect.stringContaining('127.0.0.1'),
    });
  });

  it('by too much of something is told with what it was', async () => {
    const pings = Array.from({ length: 5_000 }, () => frame('PING', 0, 0, Buffer.alloc(8)));
    expect(await faultsAfter(PREFACE, settings(), Buffer.concat(pings))).toMatchObject([{ kind: 'pings' }]);
  });

  it('by an error that its client reports has one kind, whatever the code', async () => {
    const goaway = frame('GOAWAY', 0, 0, Buffer.concat([uint32(0), uint32(12_345)]));
    expect(await faultsAfter(PREFACE, settings(), goaway)).toMatchObject([{ kind: 'GOAWAY of the client' }]);
  });
});
