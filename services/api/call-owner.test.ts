import { expect, it } from '@jest/globals';
import { GrpcClient } from '../grpc/client.ts';
import { EDGES, serve } from '../../test/support/serve.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import type { CallOwner, IncomingCall, Method } from '../grpc/method.ts';

const PATH = '/tandem.test.Echo/Echo';
const asIs = (bytes: Buffer): Buffer => bytes;

it.each(EDGES)('the handler of a call on edge %s is given the caller that was authorized', async (edge) => {
  const ann = new CallerAccount('ann', NO_LIMITS, { calls: 0, refused: 0 });
  const owners: (CallOwner | undefined)[] = [];
  const method: Method = {
    ...{ path: PATH, requestStream: false, responseStream: false, decode: asIs, encode: asIs },
    handle: (call: IncomingCall<Buffer>, request: Buffer) => {
      owners.push(call.owner);
      call.answer(request);
    },
  };
  const server = await serve([method], edge, { authorize: () => ann });
  const client = await GrpcClient.connect(server.address);
  try {
    await client.unary({ path: PATH, encode: asIs, decode: asIs }, Buffer.from('x'), { timeoutMs: 10_000 });
    expect(owners).toEqual([ann]);
  } finally {
    client.close();
    server.stop();
  }
});
