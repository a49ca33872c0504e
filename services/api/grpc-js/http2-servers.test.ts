import { type ClientHttp2Session, connect, constants } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bind } from './bind.ts';
import { allowTimeouts } from './http2-servers.ts';

let server: grpc.Server;
let session: ClientHttp2Session;

beforeEach(async () => {
  server = new grpc.Server();
  allowTimeouts(server);
  session = connect(`http://127.0.0.1:${await bind(server, '127.0.0.1:0')}`);
  session.on('error', () => undefined);
});

afterEach(() => {
  session.destroy();
  server.forceShutdown();
});

const HEADERS = {
  ':method': 'POST',
  ':path': '/tandem.v1.Any/Call',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** Calls that their caller gives up, as one does whose deadline has passed. */
async function timeOut(calls: number): Promise<void> {
  for (let left = calls; left > 0 && !session.destroyed && !session.closed; left -= 100) {
    const closed = Array.from({ length: 100 }, () => {
      const stream = session.request(HEADERS).on('error', () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
      return new Promise((resolve) => stream.once('close', resolve));
    });
    await Promise.all(closed);
  }
}

describe('a connection', () => {
  it('keeps its other calls while 4,000 of its calls time out within a moment', async () => {
    await timeOut(4_000);
    const code = await new Promise((resolve) => {
      session
        .request(HEADERS)
        .on('response', (headers) => resolve(headers['grpc-status']))
        .on('error', resolve)
        .end();
    });
    expect(Number(code)).toBe(grpc.status.UNIMPLEMENTED);
  });

  it('is closed where calls are reset as fast as they can be', async () => {
    await timeOut(20_000);
    expect(session.destroyed || session.closed).toBe(true);
  });
});
