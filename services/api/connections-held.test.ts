// Which connections are closed to make room for new ones.
import { type ClientHttp2Session, connect } from 'node:http2';
import { once } from 'node:events';
import { afterEach, expect, it } from '@jest/globals';
import { type Served, serve } from '../../test/support/serve.ts';
import { until } from '../../test/support/until.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import { ConnectionLimit } from '../core/connection-limit.ts';
import { Health } from '../grpc/health.ts';

const MAX = 4;
const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';

let server: Served;
let sessions: ClientHttp2Session[] = [];

afterEach(() => {
  for (const session of sessions) session.destroy();
  sessions = [];
  server.stop();
});

/** Resolves when the call is answered; rejects when its connection is lost before. */
async function call(path: string): Promise<void> {
  const session = connect(`http://${server.address}`);
  session.on('error', () => undefined);
  sessions.push(session);
  const stream = session.request({
    ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
  });
  stream.on('error', () => undefined);
  stream.end(Buffer.alloc(5));
  await once(stream, 'data');
}

it('a health watch without a token is closed to make room for a new connection', async () => {
  const connections = new ConnectionLimit(MAX);
  const owner = new CallerAccount('ann', NO_LIMITS, { calls: 0, refused: 0 });
  const authorize = (path: string): CallerAccount | undefined => (path === CHECK ? owner : undefined);
  const health = new Health(['']);
  health.set(true);
  server = await serve(health.methods, 'native', { connections, authorize });
  for (let each = 0; each < MAX; each += 1) await call(WATCH);
  await call(CHECK);
  await until(() => sessions.filter(({ destroyed }) => destroyed).length === 1, { what: 'the end of one watch' });
  expect(connections.open).toBe(MAX);
});
