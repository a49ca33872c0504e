// A message of 4 KB that becomes one of 4 MB when it is decompressed.
import { createHash } from 'node:crypto';
import { type ClientHttp2Session, connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { messagePrefix } from '../../services/grpc/message-prefix.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';

const MESSAGES = 64;
/** All at once would be 250 MB. */
const MAX_GROWTH_BYTES = 100 * 1_048_576;

const names = ['flood', 'other'];
const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
const data = Buffer.alloc(3_900_000);
const tooLong = ReasonRequest.encode(ReasonRequest.fromPartial({ tensor: { shape: [975_000], dtype: 'FP32', data } }));
const packed = gzipSync(tooLong.finish());

let router: RouterProcess;
let flood: ClientHttp2Session;
let other: ReasoningServiceClient;

beforeAll(async () => {
  router = await startRouter({
    auth: { tokens: names.map((name) => ({ name, sha256: sha256(name), roles: ['reason'] })) },
  });
  flood = connect(`http://${router.address}`);
  other = new ReasoningServiceClient(router.address, grpc.credentials.createInsecure());
});

afterAll(async () => {
  flood.destroy();
  other.close();
  await router.stop();
});

/** Resolves with the status. */
function sendPacked(): Promise<number> {
  const call = flood.request({
    ...{ ':method': 'POST', ':path': '/tandem.v1.ReasoningService/Reason', te: 'trailers' },
    ...{ 'content-type': 'application/grpc', 'grpc-encoding': 'gzip', authorization: 'Bearer flood' },
  });
  call.end(Buffer.concat([messagePrefix(1, packed.length), packed]));
  return new Promise((resolve) => call.once('response', (headers) => resolve(Number(headers['grpc-status']))));
}

function ping(): Promise<boolean> {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', 'Bearer other');
  return new Promise((resolve) => other.ping({}, metadata, (error) => resolve(error === null)));
}

it(`${MESSAGES} compressed messages at once take little memory, and another caller is served meanwhile`, async () => {
  expect(packed.length).toBeLessThan(5_000);
  expect(await ping()).toBe(true);
  const beforeBytes = router.rssBytes();
  let mostBytes = 0;
  let open = MESSAGES;
  const ended = Promise.all(Array.from({ length: MESSAGES }, () => sendPacked().finally(() => (open -= 1))));
  let served = 0;
  while (open > 0) {
    expect(await ping()).toBe(true);
    served += 1;
    mostBytes = Math.max(mostBytes, router.rssBytes());
  }
  expect(new Set(await ended)).toEqual(new Set([grpc.status.INVALID_ARGUMENT]));
  expect(served).toBeGreaterThan(MESSAGES);
  expect(mostBytes - beforeBytes).toBeLessThan(MAX_GROWTH_BYTES);
});
