import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Served, serve } from '../../test/support/serve.ts';
import { frame, PREFACE, settings, uint32 } from '../../test/support/http2-peer.ts';
import type { ConnectionFault } from '../telemetry/connection-faults.ts';

let server: Served;

afterEach(() => server.stop());

/** Returns the faults that the router reports for a connection on which `sent` is sent and which its client then ends. */
async function faultsAfter(...sent: (Buffer | string)[]): Promise<ConnectionFault[]> {
  const faults: ConnectionFault[] = [];
  server = await serve([], 'native', { onConnectionFault: (fault) => void faults.push(fault) });
  const socket = connect(server.port, '127.0.0.1').resume();
  for (const piece of sent) socket.write(piece);
  socket.end();
  await once(socket, 'close');
  return faults;
}

describe('onConnectionFault', () => {
  it('is not called if the client closes the connection', async () => {
    expect(await faultsAfter(PREFACE, settings())).toEqual([]);
  });

  it('reports a protocol error of the client', async () => {
    const [fault] = await faultsAfter(PREFACE, frame('PING', 0, 0, Buffer.alloc(8)));
    expect(fault).toEqual({
      kind: 'PROTOCOL_ERROR',
      text: 'the first frame is not SETTINGS',
      peer: expect.stringContaining('127.0.0.1'),
    });
  });

  it('reports which limit a client exceeded', async () => {
    const pings = Array.from({ length: 5_000 }, () => frame('PING', 0, 0, Buffer.alloc(8)));
    expect(await faultsAfter(PREFACE, settings(), Buffer.concat(pings))).toMatchObject([{ kind: 'pings' }]);
  });

  it('reports an error code of the client as one kind, for any code', async () => {
    const goaway = frame('GOAWAY', 0, 0, Buffer.concat([uint32(0), uint32(12_345)]));
    expect(await faultsAfter(PREFACE, settings(), goaway)).toMatchObject([{ kind: 'GOAWAY of the client' }]);
  });
});
