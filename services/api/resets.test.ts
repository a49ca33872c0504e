import { type ClientHttp2Session, connect, constants } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EDGES, type Served, serve } from '../../test/support/serve.ts';

let server: Served;
let session: ClientHttp2Session;

const HEADERS = {
  ':method': 'POST',
  ':path': '/tandem.v1.Any/Call',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** Opens calls and cancels them, as a client does when their deadlines pass. */
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

describe.each(EDGES)('a connection on edge %s', (edge) => {
  beforeEach(async () => {
    server = await serve([], edge);
    session = connect(`http://${server.address}`);
    session.on('error', () => undefined);
  });

  afterEach(() => {
    session.destroy();
    server.stop();
  });

  it('stays open if 4,000 of its calls time out at once', async () => {
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

  it('is closed if it resets calls without limit', async () => {
    await timeOut(20_000);
    expect(session.destroyed || session.closed).toBe(true);
  });
});
