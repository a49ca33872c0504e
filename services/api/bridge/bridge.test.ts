// Tests the bridge with a handler of this file; the real handlers are in test/integration/bridge.test.ts.
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RouterError } from '../../core/errors.ts';
import { PingRequest, PingResponse, ReasonRequest, ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { ResetMetricsRequest, ResetMetricsResponse } from '../../generated/tandem/v1/metrics.ts';
import type { IncomingCall, Method } from '../../grpc/method.ts';
import { toStatus } from '../status.ts';
import { Bridge, type BridgeOptions } from './bridge.ts';

type Open = { call: IncomingCall<ReasonResponse>; request: ReasonRequest };

/** Reason calls that the test answers. */
let open: Open[];
let arrived: (() => void) | undefined;
let authorizations: string[];
let bridge: Bridge | undefined;
let sockets: Socket[];

const METHODS: Method[] = [
  {
    ...{ path: '/tandem.v1.ReasoningService/Ping', requestStream: false, responseStream: false },
    ...{ decode: PingRequest.decode, encode: (response) => PingResponse.encode(response as PingResponse).finish() },
    handle: (call: IncomingCall<PingResponse>) =>
      call.answer({ message: 'pong', serverTimeMs: 7n, processingTimeMs: 0.5 }),
  },
  {
    ...{ path: '/tandem.v1.ReasoningService/Reason', requestStream: false, responseStream: false },
    decode: ReasonRequest.decode,
    encode: (response) => ReasonResponse.encode(response as ReasonResponse).finish(),
    handle: (call: IncomingCall<ReasonResponse>, request: ReasonRequest) => {
      open.push({ call, request });
      arrived?.();
    },
  },
  {
    ...{ path: '/tandem.v1.MetricsService/ResetMetrics', requestStream: false, responseStream: false },
    decode: ResetMetricsRequest.decode,
    encode: (response) => ResetMetricsResponse.encode(response as ResetMetricsResponse).finish(),
    handle: (call: IncomingCall<ResetMetricsResponse>) => call.answer(ResetMetricsResponse.create()),
  },
];

beforeEach(() => {
  open = [];
  arrived = undefined;
  authorizations = [];
  sockets = [];
});

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  bridge?.drain();
  bridge?.close();
});

class Peer {
  readonly socket: Socket;
  readonly #lines: Interface;
  readonly #iterator: AsyncIterator<string>;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#lines = createInterface({ input: socket });
    this.#iterator = this.#lines[Symbol.asyncIterator]();
  }

  send(...messages: unknown[]): void {
    this.socket.write(messages.map((each) => `${typeof each === 'string' ? each : JSON.stringify(each)}\n`).join(''));
  }

  async next(): Promise<Record<string, unknown>> {
    return JSON.parse(String((await this.#iterator.next()).value)) as Record<string, unknown>;
  }

  async ask(message: unknown): Promise<Record<string, unknown>> {
    this.send(message);
    return this.next();
  }
}

async function start(over: Partial<BridgeOptions> = {}): Promise<() => Promise<Peer>> {
  bridge = new Bridge(METHODS, {
    ...{ listen: '127.0.0.1:0', maxLineBytes: 1_000, maxConnections: 8, allowsReset: false },
    authorize: (_path, metadata) => void authorizations.push(metadata.first('authorization') ?? ''),
    isAuthRequired: () => false,
    ...over,
  });
  const address = await bridge.start();
  const port = Number(address.split(':')[1]);
  return async () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return new Peer(socket);
  };
}

const called = (): Promise<void> => new Promise((resolve) => (arrived = resolve));

describe('Bridge', () => {
  it('answers a ping', async () => {
    const peer = await (await start())();
    const pong = { type: 'ping', result: 'pong', server_time_ms: 7, processing_time_ms: 0.5 };
    expect(await peer.ask({ type: 'ping' })).toEqual(pong);
    expect(await peer.ask({ type: 'ping', id: 'x-1' })).toEqual({ ...pong, id: 'x-1' });
  });

  it('translates a reason message and its response', async () => {
    const peer = await (await start())();
    const arrival = called();
    peer.send({ type: 'reason', encoding: [0.5, -1], model: 'm', model_version: 2, request_id: 'r' });
    await arrival;
    const { call, request } = open[0]!;
    expect(request).toEqual(
      ReasonRequest.fromPartial({ encoding: [0.5, -1], model: 'm', modelVersion: 2, requestId: 'r' }),
    );
    call.answer(
      ReasonResponse.fromPartial({ label: 'noun.animal', confidence: 0.75, scores: [0.75], stateDigest: 255n }),
    );
    expect(await peer.next()).toMatchObject({
      ...{ type: 'reason', result: 'noun.animal', confidence: 0.75, scores: [0.75] },
      state_digest: '00000000000000ff',
    });
  });

  it('answers lines in order, one at a time', async () => {
    const peer = await (await start())();
    const arrival = called();
    peer.send({ type: 'reason', encoding: [1] }, '', { type: 'ping' }, { type: 'reason', encoding: [2] });
    await arrival;
    expect(open).toHaveLength(1);
    const second = called();
    open[0]!.call.answer(ReasonResponse.fromPartial({ label: 'first' }));
    await second;
    open[1]!.call.answer(ReasonResponse.fromPartial({ label: 'second' }));
    const answers = [await peer.next(), await peer.next(), await peer.next()];
    expect(answers.map(({ result }) => result)).toEqual(['first', 'pong', 'second']);
  });

  it('returns the reason and field of a refusal', async () => {
    const peer = await (await start())();
    const arrival = called();
    peer.send({ type: 'reason', id: 5, encoding: [1] });
    await arrival;
    open[0]!.call.fail(toStatus(new RouterError('INPUT_LENGTH', 'got 1 number; send 768', { field: 'encoding' })));
    expect(await peer.next()).toEqual({
      ...{ type: 'error', id: 5, error: 'got 1 number; send 768', code: 'INVALID_ARGUMENT' },
      ...{ reason: 'INPUT_LENGTH', field: 'encoding' },
    });
  });

  it.each([
    ['{"typ": "ping"}', /^type is missing; send one of ping, reason, query, metrics/],
    ['{"type": "toString"}', /^type is "toString"; send one of/],
    ['{"type": "reason", "encoding": 5}', /^encoding must be a list of numbers/],
    ['{"type": "reason", "encoding": [1, "2"]}', /^encoding\[1\] is not a number/],
    ['{"type": "reason", "encoding": [1], "model": 5}', /^model must be a text/],
    ['{"type": "reason", "encoding": [1], "model_version": -1}', /^model_version must be a whole number/],
    ['{"type": "query", "query": "a", "top_k": 1.5}', /^top_k must be a whole number/],
    ['{"type": "ping", "token": 5}', /^token must be/],
  ])('reports an invalid message and keeps the connection: %s', async (line, message) => {
    const peer = await (await start())();
    expect(await peer.ask(line)).toMatchObject({ type: 'error', error: expect.stringMatching(message) as unknown });
    expect(await peer.ask({ type: 'ping' })).toMatchObject({ result: 'pong' });
  });

  it.each(['{"type": "ping"', '[1]', 'null', 'POST / HTTP/1.1'])(
    'closes a connection whose line is not a JSON object: %s',
    async (line) => {
      const peer = await (await start())();
      peer.send(line, { type: 'ping' });
      expect(await peer.next()).toMatchObject({
        type: 'error',
        error: expect.stringMatching(/no JSON object/) as unknown,
      });
      await once(peer.socket, 'close');
    },
  );

  it('ends a connection whose line is too long', async () => {
    const peer = await (await start())();
    expect(await peer.ask('x'.repeat(2_000))).toMatchObject({
      reason: 'MESSAGE_TOO_LARGE',
      error: expect.stringMatching(/more than 1000 bytes \(setting bridge\.max_line_bytes\)/) as unknown,
    });
    await once(peer.socket, 'close');
  });

  it('cancels the call of a client that disconnects', async () => {
    const peer = await (await start())();
    const arrival = called();
    peer.send({ type: 'reason', encoding: [1] });
    await arrival;
    const cut = new Promise<void>((resolve) => (open[0]!.call.listener = { onCut: resolve }));
    peer.socket.resetAndDestroy();
    await cut;
    expect(open[0]!.call.isOver).toBe(true);
  });

  it('closes the connection that is idle longest if there are too many', async () => {
    const open = await start({ maxConnections: 2 });
    const first = await open();
    const second = await open();
    expect(await second.ask({ type: 'ping' })).toMatchObject({ result: 'pong' });
    const closed = once(first.socket, 'close');
    const third = await open();
    await closed;
    expect(await third.ask({ type: 'ping' })).toMatchObject({ result: 'pong' });
  });

  it('uses the token of a line for that line and all later ones', async () => {
    const peer = await (await start())();
    await peer.ask({ type: 'ping' });
    await peer.ask({ type: 'ping', token: 'secret' });
    await peer.ask({ type: 'ping' });
    expect(authorizations).toEqual(['', 'Bearer secret', 'Bearer secret']);
  });

  it('refuses a call that the caller may not make', async () => {
    const refusal = new RouterError('ROLE_MISSING', 'ann may not make this call');
    const peer = await (await start({ authorize: () => refusal }))();
    expect(await peer.ask({ type: 'reason', encoding: [1] })).toMatchObject({ reason: 'ROLE_MISSING' });
    expect(open).toEqual([]);
  });

  it.each([
    [false, false, 'ADMIN_FORBIDDEN'],
    [true, false, undefined],
    [true, true, 'ADMIN_FORBIDDEN'],
  ])(
    'resets metrics only if the role or the setting allows it: reset %s, auth %s',
    async (allowsReset, auth, reason) => {
      const authorize = (path: string): RouterError | undefined =>
        path.endsWith('ResetMetrics') ? new RouterError('ADMIN_FORBIDDEN', 'no') : undefined;
      const peer = await (await start({ allowsReset, authorize, isAuthRequired: () => auth }))();
      const { type, reason: found } = await peer.ask({ type: 'metrics', reset: true });
      expect([type, found]).toEqual([reason === undefined ? 'metrics' : 'error', reason]);
    },
  );

  it('answers the current line of a busy connection when it drains, and closes idle ones', async () => {
    const newPeer = await start();
    const [busy, idle] = [await newPeer(), await newPeer()];
    const arrival = called();
    busy.send({ type: 'reason', encoding: [1] });
    await arrival;
    const closed = [once(busy.socket, 'close'), once(idle.socket, 'close')];
    bridge!.drain();
    await closed[1];
    open[0]!.call.answer(ReasonResponse.fromPartial({ label: 'last' }));
    expect(await busy.next()).toMatchObject({ result: 'last' });
    await closed[0];
  });
});
