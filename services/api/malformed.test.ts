// Sends bytes that are not a valid message to every rpc in proto/.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { bareApi } from '../../test/fakes/bare-api.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { ApiServer } from './server.ts';

type Rpc = grpc.MethodDefinition<object, object>;

const isBidirectional = ({ requestStream, responseStream }: Rpc): boolean => requestStream && responseStream;

const PROTO_DIR = join(import.meta.dirname, '../../proto');
const FILES = readdirSync(join(PROTO_DIR, 'tandem/v1')).map((file) => `tandem/v1/${file}`);
/** Example of a name: "ReasoningService.Ping". */
const RPCS = Object.entries(loadSync(FILES, { includeDirs: [PROTO_DIR] })).flatMap(([name, definition]) => {
  if ('format' in definition) return []; // a message or an enum
  return Object.entries(definition).map(([method, rpc]): [string, Rpc] => [`${name.split('.').at(-1)}.${method}`, rpc]);
});

/** Field 1 as a text of two bytes, which are missing. */
const MALFORMED = Buffer.from([0x0a, 0x02]);

const metrics = new Metrics();
const internal: unknown[] = [];
let api: ApiServer;
let client: grpc.Client;

beforeAll(async () => {
  // No handler runs far enough to need a part.
  api = bareApi({ onInternalError: (_path, error) => internal.push(error) }, { metrics });
  await api.start();
  // The admin address allows every rpc.
  client = new grpc.Client(api.adminAddress, grpc.credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await api.stop(1_000);
});

const asItIs = (bytes: Buffer): Buffer => bytes;

/** Resolves to the first answer. */
function send(bytes: Buffer, { path, requestStream, responseStream, responseDeserialize }: Rpc): Promise<object> {
  return new Promise((resolve, reject) => {
    const end = (error: grpc.ServiceError | null, response?: object): void => {
      if (error) reject(error);
      else resolve(response!);
    };
    if (!responseStream) {
      if (requestStream) client.makeClientStreamRequest(path, asItIs, responseDeserialize, end).end(bytes);
      else client.makeUnaryRequest(path, asItIs, responseDeserialize, bytes, end);
      return;
    }
    const answers = requestStream
      ? client.makeBidiStreamRequest(path, asItIs, responseDeserialize).end(bytes)
      : client.makeServerStreamRequest(path, asItIs, responseDeserialize, bytes);
    answers.on('data', resolve).on('error', reject);
  });
}

describe('bytes that are not a valid message', () => {
  it.each(RPCS.filter(([, rpc]) => !isBidirectional(rpc)))(
    'are refused by %s with INVALID_ARGUMENT',
    async (_, rpc) => {
      expect(await refusalOf(send(MALFORMED, rpc))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        reason: 'INVALID_FIELD',
        message: expect.stringMatching(/not a valid protobuf message/) as unknown,
      });
    },
  );

  it.each(RPCS.filter(([, rpc]) => isBidirectional(rpc)))(
    'get an error message in the stream of %s',
    async (_, rpc) => {
      expect(await send(MALFORMED, rpc)).toMatchObject({
        error: { code: grpc.status.INVALID_ARGUMENT, reason: 'INVALID_FIELD' },
      });
    },
  );

  it('are counted for each rpc and not reported as internal errors', () => {
    const { requestTypes } = metrics.snapshot();
    const refused = requestTypes.filter(({ errorsByReason }) => errorsByReason['INVALID_ARGUMENT/INVALID_FIELD'] === 1);
    expect([refused.length, internal]).toEqual([RPCS.length, []]);
  });
});
