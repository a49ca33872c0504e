// Messages that take much more memory or time than they cost their sender: other callers must not notice.
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
/** JSON of 4 MB, which takes some 300 ms to parse. */
const LONG_JSON = `{"inputs":[{"name":"input","shape":[1,768],"datatype":"FP32","data":[${'0,'.repeat(2_000_000)}0]}]}`;
const POSTS = 6;

/** 4 MB, which gzip makes 4 KB. */
const data = Buffer.alloc(3_900_000);
const tooLong = ReasonRequest.encode(ReasonRequest.fromPartial({ tensor: { shape: [975_000], dtype: 'FP32', data } }));
const packed = gzipSync(tooLong.finish());

let router: RouterProcess;
let flood: ClientHttp2Session;
let other: ReasoningServiceClient;

beforeAll(async () => {
  router = await startRouter({
    http_listen: '127.0.0.1:0',
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

async function postJson(): Promise<number> {
  const url = `http://${router.httpAddress}/v2/models/supersense/infer`;
  const headers = { authorization: 'Bearer flood', 'content-type': 'application/json' };
  const { status } = await fetch(url, { method: 'POST', headers, body: LONG_JSON });
  return status;
}

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

/** Sends all at once, and meanwhile another caller's calls. Returns the statuses, how many of the others were served, and the memory. */
async function meanwhile(messages: number, send: () => Promise<number>) {
  expect(await ping()).toBe(true);
  const beforeBytes = router.rssBytes();
  let mostBytes = 0;
  let open = messages;
  const ended = Promise.all(Array.from({ length: messages }, () => send().finally(() => (open -= 1))));
  let served = 0;
  while (open > 0) {
    expect(await ping()).toBe(true);
    served += 1;
    mostBytes = Math.max(mostBytes, router.rssBytes());
  }
  return { statuses: new Set(await ended), served, grownBytes: mostBytes - beforeBytes };
}

it(`${MESSAGES} compressed messages at once take little memory, and another caller is served meanwhile`, async () => {
  expect(packed.length).toBeLessThan(5_000);
  const { statuses, served, grownBytes } = await meanwhile(MESSAGES, sendPacked);
  expect(statuses).toEqual(new Set([grpc.status.INVALID_ARGUMENT]));
  expect(served).toBeGreaterThan(MESSAGES);
  expect(grownBytes).toBeLessThan(MAX_GROWTH_BYTES);
});

it(`${POSTS} long JSON texts at once let another caller be served meanwhile`, async () => {
  const { statuses, served } = await meanwhile(POSTS, postJson);
  expect(statuses).toEqual(new Set([400]));
  // If the texts were parsed between them, a few would be served after each.
  expect(served).toBeGreaterThan(20 * POSTS);
});
