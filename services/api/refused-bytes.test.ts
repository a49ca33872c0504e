// The bytes of a message that arrive before its refusal count as discarded.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { expect, it } from '@jest/globals';
import { serve } from '../../test/support/serve.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import type { Method } from '../grpc/method.ts';
import { status } from '../grpc/status.ts';

const REFUSAL = status('RESOURCE_EXHAUSTED', 'too many items');
const BYTES = 600_000;

it('the bytes of a message that is refused while it arrives count as discarded', async () => {
  const owner = new CallerAccount('ann', NO_LIMITS, { calls: 0, refused: 0 });
  let discarded = 0;
  owner.discarded = (bytes) => void (discarded += bytes);
  let seen = 0;
  const method: Method = {
    ...{ path: '/a.B/C', requestStream: false, responseStream: false },
    ...{ decode: (bytes) => bytes, encode: (bytes: Buffer) => bytes, handle: () => undefined },
    inspector: () => (bytes) => ((seen += bytes.length) >= BYTES / 2 ? REFUSAL : undefined),
  };
  const server = await serve([method], 'native', { authorize: () => owner });
  const session = connect(`http://${server.address}`);
  const stream = session.request({ ':method': 'POST', ':path': method.path, 'content-type': 'application/grpc' });
  const message = Buffer.alloc(5 + BYTES);
  message.writeUInt32BE(BYTES, 1);
  stream.on('error', () => undefined);
  // The rest is not sent, so nothing arrives after the refusal.
  stream.write(message.subarray(0, BYTES / 2 + 5));
  await once(stream, 'response');
  session.destroy();
  server.stop();
  expect(discarded).toBeGreaterThan(BYTES / 4);
});
