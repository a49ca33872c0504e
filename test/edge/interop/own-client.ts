// The cases of gRPC's interoperability tests (doc/interop-test-descriptions.md) for our own client.
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { CallOptions, GrpcClient } from '../../../services/grpc/client.ts';
import type { ClientCall, ClientMethod } from '../../../services/grpc/client-call.ts';
import { Metadata } from '../../../services/grpc/metadata.ts';
import { Code, type Status } from '../../../services/grpc/status.ts';
import {
  type Codec,
  ECHO_INITIAL,
  ECHO_TRAILING,
  type InputRequest,
  emptyCall,
  fullDuplexCall,
  inputCall,
  outputCall,
  unaryCall,
  unimplementedCall,
  unimplementedService,
} from './methods.ts';

const LARGE_REQUEST = 271_828;
const LARGE_ANSWER = 314_159;
const INPUTS = [27_182, 8, 1_828, 45_904];
const ANSWERS = [31_415, 9, 2_653, 58_979];
const SPECIAL = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';

const zeros = (size: number): { body: Buffer } => ({ body: Buffer.alloc(size) });

/** A call with its results so far. */
class Running<Request, Response> {
  readonly call: ClientCall<Request, Response>;
  readonly messages: Response[] = [];
  metadata: Metadata | undefined;
  readonly status: Promise<Status>;
  /** Called at each message. */
  onMessage: (response: Response) => void = () => undefined;

  constructor(client: GrpcClient, codec: Codec<Request, Response>, options: CallOptions = {}) {
    const method: ClientMethod<Request, Response> = {
      path: codec.path,
      encode: codec.encodeRequest,
      decode: codec.decodeResponse,
    };
    const { promise, resolve } = Promise.withResolvers<Status>();
    this.status = promise;
    const onMessage = (response: Response): void => {
      this.messages.push(response);
      this.onMessage(response);
    };
    const onMetadata = (metadata: Metadata): void => void (this.metadata = metadata);
    this.call = client.call(method, { onMessage, onMetadata, onStatus: resolve }, options);
  }
}

/** Sends these and the end; resolves when the call has ended. */
async function complete<Request, Response>(
  client: GrpcClient,
  codec: Codec<Request, Response>,
  requests: readonly Request[],
  options: CallOptions & { readonly areCompressed?: readonly boolean[] } = {},
): Promise<Running<Request, Response> & { readonly end: Status }> {
  const running = new Running(client, codec, options);
  for (const [at, request] of requests.entries()) running.call.send(request, options.areCompressed?.[at]);
  running.call.end();
  return Object.assign(running, { end: await running.status });
}

const sizes = (messages: readonly { payload: { body: Uint8Array } | null }[]): number[] =>
  messages.map(({ payload }) => payload?.body.length ?? -1);

const isOk = ({ end }: { end: Status }): void => equal(`${end.code} ${end.message}`, '0 ');

async function pingPong(client: GrpcClient): Promise<void> {
  const running = new Running(client, fullDuplexCall);
  const ask = (at: number): boolean =>
    running.call.send({ responseParameters: [{ size: ANSWERS[at]! }], payload: zeros(INPUTS[at]!) });
  running.onMessage = () => {
    if (running.messages.length < ANSWERS.length) ask(running.messages.length);
    else running.call.end();
  };
  ask(0);
  equal((await running.status).code, Code.OK);
  deepEqual(sizes(running.messages), ANSWERS);
}

async function statusCodeAndMessage(client: GrpcClient, message: string): Promise<void> {
  const responseStatus = { code: 2, message };
  for (const { end } of [
    await complete(client, unaryCall, [{ responseStatus }]),
    await complete(client, fullDuplexCall, [{ responseStatus }]),
  ]) {
    deepEqual([end.code, end.message], [2, message]);
  }
}

async function customMetadata(client: GrpcClient): Promise<void> {
  const binary = Buffer.from([0xab, 0xab, 0xab]);
  const metadata = Metadata.of({ [ECHO_INITIAL]: 'test_initial_metadata_value', [ECHO_TRAILING]: binary });
  const unary = await complete(client, unaryCall, [{ responseSize: LARGE_ANSWER, payload: zeros(LARGE_REQUEST) }], {
    metadata,
  });
  const request = { responseParameters: [{ size: LARGE_ANSWER }], payload: zeros(LARGE_REQUEST) };
  const duplex = await complete(client, fullDuplexCall, [request], { metadata });
  for (const each of [unary, duplex]) {
    isOk(each);
    equal(each.metadata?.first(ECHO_INITIAL), 'test_initial_metadata_value');
    deepEqual(each.end.metadata?.getBinary(ECHO_TRAILING), [binary]);
  }
}

/**
 * Each resolves if the case passes. The compressed cases leave out their probe, a request that is wrongly uncompressed:
 * Java's server accepts it, and Go's has no compression.
 */
export const OWN_CASES: Readonly<Record<string, (client: GrpcClient) => Promise<void>>> = {
  empty_unary: async (client) => isOk(await complete(client, emptyCall, [{}])),
  large_unary: async (client) => {
    const done = await complete(client, unaryCall, [{ responseSize: LARGE_ANSWER, payload: zeros(LARGE_REQUEST) }]);
    isOk(done);
    deepEqual(sizes(done.messages), [LARGE_ANSWER]);
  },
  client_streaming: async (client) => {
    const done = await complete(
      client,
      inputCall,
      INPUTS.map((size) => ({ payload: zeros(size) })),
    );
    isOk(done);
    deepEqual(done.messages, [{ aggregatedPayloadSize: 74_922 }]);
  },
  server_streaming: async (client) => {
    const done = await complete(client, outputCall, [{ responseParameters: ANSWERS.map((size) => ({ size })) }]);
    isOk(done);
    deepEqual(sizes(done.messages), ANSWERS);
  },
  ping_pong: pingPong,
  empty_stream: async (client) => {
    const done = await complete(client, fullDuplexCall, []);
    isOk(done);
    equal(done.messages.length, 0);
  },
  timeout_on_sleeping_server: async (client) => {
    const running = new Running(client, fullDuplexCall, { timeoutMs: 1 });
    running.call.send({ responseParameters: [{ size: 31_415, intervalUs: 50_000 }], payload: zeros(27_182) });
    equal((await running.status).code, Code.DEADLINE_EXCEEDED);
  },
  cancel_after_begin: async (client) => {
    const running = new Running(client, inputCall);
    running.call.cancel();
    equal((await running.status).code, Code.CANCELLED);
  },
  cancel_after_first_response: async (client) => {
    const running = new Running(client, fullDuplexCall);
    running.onMessage = () => running.call.cancel();
    running.call.send({ responseParameters: [{ size: 31_415 }], payload: zeros(27_182) });
    equal((await running.status).code, Code.CANCELLED);
    equal(running.messages.length, 1);
  },
  status_code_and_message: (client) => statusCodeAndMessage(client, 'test status message'),
  special_status_message: async (client) => {
    const responseStatus = { code: 2, message: SPECIAL };
    const { end } = await complete(client, unaryCall, [{ responseStatus }]);
    deepEqual([end.code, end.message], [2, SPECIAL]);
  },
  unimplemented_method: async (client) => {
    equal((await complete(client, unimplementedCall, [{}])).end.code, Code.UNIMPLEMENTED);
  },
  unimplemented_service: async (client) => {
    equal((await complete(client, unimplementedService, [{}])).end.code, Code.UNIMPLEMENTED);
  },
  custom_metadata: customMetadata,
  client_compressed_unary: async (client) => {
    const request = { expectCompressed: { value: true }, responseSize: LARGE_ANSWER, payload: zeros(LARGE_REQUEST) };
    for (const value of [true, false]) {
      const options = value ? ({ encoding: 'gzip', areCompressed: [true] } as const) : {};
      const done = await complete(client, unaryCall, [{ ...request, expectCompressed: { value } }], options);
      isOk(done);
      deepEqual(sizes(done.messages), [LARGE_ANSWER]);
    }
  },
  client_compressed_streaming: async (client) => {
    const first: InputRequest = { expectCompressed: { value: true }, payload: zeros(27_182) };
    const second: InputRequest = { expectCompressed: { value: false }, payload: zeros(45_904) };
    const options = { encoding: 'gzip', areCompressed: [true, false] } as const;
    const done = await complete(client, inputCall, [first, second], options);
    isOk(done);
    deepEqual(done.messages, [{ aggregatedPayloadSize: 73_086 }]);
  },
  server_compressed_unary: async (client) => {
    for (const value of [true, false]) {
      const request = { responseCompressed: { value }, responseSize: LARGE_ANSWER, payload: zeros(LARGE_REQUEST) };
      const done = await complete(client, unaryCall, [request]);
      isOk(done);
      deepEqual(sizes(done.messages), [LARGE_ANSWER]);
      if (value) equal(done.metadata?.first('grpc-encoding'), 'gzip');
    }
  },
  server_compressed_streaming: async (client) => {
    const responseParameters = [
      { size: 31_415, compressed: { value: true } },
      { size: 92_653, compressed: { value: false } },
    ];
    const done = await complete(client, outputCall, [{ responseParameters }]);
    isOk(done);
    deepEqual(sizes(done.messages), [31_415, 92_653]);
  },
  concurrent_large_unary: async (client) => {
    const request = { responseSize: LARGE_ANSWER, payload: zeros(LARGE_REQUEST) };
    const all = await Promise.all(Array.from({ length: 50 }, () => complete(client, unaryCall, [request])));
    ok(all.every(({ end, messages }) => end.code === Code.OK && sizes(messages)[0] === LARGE_ANSWER));
  },
};
