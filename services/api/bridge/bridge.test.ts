// Tests the bridge with a handler of this file; the real handlers are in test/integration/bridge.test.ts.
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fakeMethod } from '../../../test/fakes/fake-method.ts';
import { LinePeer } from '../../../test/support/line-peer.ts';
import { CallerAccount, type CallerLimits, NO_LIMITS } from '../../auth/caller-account.ts';
import { RouterError } from '../../core/errors.ts';
import { PingRequest, PingResponse, ReasonRequest, ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { ResetMetricsRequest, ResetMetricsResponse } from '../../generated/tandem/v1/metrics.ts';
import type { IncomingCall } from '../../grpc/method.ts';
import { toStatus } from '../status.ts';
import { Bridge, type BridgeOptions } from './bridge.ts';

type Open = { call: IncomingCall<ReasonResponse>; request: ReasonRequest };

/** Reason calls that the test answers. */
let open: Open[];
let arrived: (() => void) | undefined;
let authorizations: string[];
let bridge: Bridge | undefined;
let sockets: Socket[];

const METHODS = [
  fakeMethod('ReasoningService/Ping', PingRequest.decode, PingResponse.encode, (call) =>
    call.answer({ message: 'pong', serverTimeMs: 7n, processingTimeMs: 0.5 }),
  ),
  fakeMethod('ReasoningService/Reason', ReasonRequest.decode, ReasonResponse.encode, (call, request) => {
    open.push({ call, request });
    arrived?.();
  }),
  fakeMethod('MetricsService/ResetMetrics', ResetMetricsRequest.decode, ResetMetricsResponse.encode, (call) =>
    call.answer(ResetMetricsResponse.create()),
  ),
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

const LISTENING: BridgeOptions = {
  ...{ listen: '127.0.0.1:0', maxLineBytes: 1_000, maxConnections: 8, allowsReset: false },
  authorize: (_path, metadata) => void authorizations.push(metadata.first('authorization') ?? ''),
  isAuthRequired: () => false,
};

/** Of the bridge. */
let address: string;

/** Returns a function that connects to it. */
async function start(over: Partial<BridgeOptions> = {}): Promise<() => Promise<LinePeer>> {
  bridge = new Bridge(METHODS, { ...LISTENING, ...over });
  address = await bridge.start();
  const port = Number(address.split(':')[1]);
  return async () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return new LinePeer(socket);
  };
}

/** Sends these lines and resolves to the next call that arrives. */
async function reasoning(peer: LinePeer, ...lines: unknown[]): Promise<Open> {
  const arrival = new Promise<void>((resolve) => (arrived = resolve));
  peer.send(...lines);
  await arrival;
  return open.at(-1)!;
}

const cutOf = (call: IncomingCall<ReasonResponse>): Promise<void> =>
  new Promise((resolve) => (call.listener = { onCut: resolve }));

describe('Bridge', () => {
  it('answers a ping', async () => {
    const peer = await (await start())();
    const pong = { type: 'ping', result: 'pong', server_time_ms: 7, processing_time_ms: 0.5 };
    expect(await peer.ask({ type: 'ping' })).toEqual(pong);
    expect(await peer.ask({ type: 'ping', id: 'x-1' })).toEqual({ ...pong, id: 'x-1' });
  });

  it('translates a reason message and its response', async () => {
    const peer = await (await start())();
    const { call, request } = await reasoning(peer, {
      type: 'reason',
      encoding: [0.5, -1],
      model: 'm',
      model_version: 2,
      request_id: 'r',
    });
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
    const { call } = await reasoning(
      peer,
      { type: 'reason', encoding: [1] },
      '',
      { type: 'ping' },
      { type: 'reason', encoding: [2] },
    );
    expect(open).toHaveLength(1);
    const second = new Promise<void>((resolve) => (arrived = resolve));
    call.answer(ReasonResponse.fromPartial({ label: 'first' }));
    await second;
    open[1]!.call.answer(ReasonResponse.fromPartial({ label: 'second' }));
    const answers = [await peer.next(), await peer.next(), await peer.next()];
    expect(answers.map(({ result }) => result)).toEqual(['first', 'pong', 'second']);
  });

  it('returns the reason and field of a refusal', async () => {
    const peer = await (await start())();
    const { call } = await reasoning(peer, { type: 'reason', id: 5, encoding: [1] });
    call.fail(toStatus(new RouterError('INPUT_LENGTH', 'got 1 number; send 768', { field: 'encoding' })));
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

  it.each(['{"type": "ping"', '[1]', 'null', '5', '"ping"', 'POST / HTTP/1.1'])(
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
    const { call } = await reasoning(peer, { type: 'reason', encoding: [1] });
    const cut = cutOf(call);
    peer.socket.resetAndDestroy();
    await cut;
    expect(call.isOver).toBe(true);
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
    const { call } = await reasoning(busy, { type: 'reason', encoding: [1] });
    const closed = [once(busy.socket, 'close'), once(idle.socket, 'close')] as const;
    bridge!.drain();
    await closed[1];
    call.answer(ReasonResponse.fromPartial({ label: 'last' }));
    expect(await busy.next()).toMatchObject({ result: 'last' });
    await closed[0];
    await expect(newPeer()).rejects.toThrow('ECONNREFUSED');
  });

  it('closes busy connections when it is closed, and cancels their calls', async () => {
    const peer = await (await start())();
    const { call } = await reasoning(peer, { type: 'reason', encoding: [1] });
    const cut = cutOf(call);
    bridge!.close();
    await Promise.all([once(peer.socket, 'close'), cut]);
  });

  it('does not execute further lines of a client that has disconnected', async () => {
    const peer = await (await start())();
    const { call } = await reasoning(peer, { type: 'reason', encoding: [1] }, { type: 'reason', encoding: [2] });
    const cut = cutOf(call);
    peer.socket.resetAndDestroy();
    await cut;
    call.answer(ReasonResponse.create());
    await new Promise(setImmediate);
    expect(open).toHaveLength(1);
  });

  it('does not cancel a call that has ended', async () => {
    const newPeer = await start();
    const peer = await newPeer();
    const { call } = await reasoning(peer, { type: 'reason', encoding: [1] });
    call.answer(ReasonResponse.create());
    await peer.next();
    let cuts = 0;
    call.listener = { onCut: () => (cuts += 1) };
    peer.socket.resetAndDestroy();
    expect(await (await newPeer()).ask({ type: 'ping' })).toMatchObject({ result: 'pong' });
    expect(cuts).toBe(0);
  });

  it('leaves no listener on its connection after a call', async () => {
    const counts: number[] = [];
    const authorize: BridgeOptions['authorize'] = (_path, _metadata, socket) =>
      void counts.push(socket.listenerCount('close'));
    const peer = await (await start({ authorize }))();
    for (const _ of [1, 2, 3]) await peer.ask({ type: 'ping' });
    expect(counts).toEqual(Array(3).fill(counts[0]));
  });

  it('does not close a busy connection for a new one', async () => {
    const newPeer = await start({ maxConnections: 2 });
    const busy = await newPeer();
    const { call } = await reasoning(busy, { type: 'reason', encoding: [1] });
    const idle = await newPeer();
    expect(await idle.ask({ type: 'ping' })).toMatchObject({ result: 'pong' });
    const closed = once(idle.socket, 'close');
    await newPeer();
    await closed;
    call.answer(ReasonResponse.fromPartial({ label: 'kept' }));
    expect(await busy.next()).toMatchObject({ result: 'kept' });
  });

  it('closes a connection for a new one after its work is done', async () => {
    const newPeer = await start({ maxConnections: 1 });
    const first = await newPeer();
    await first.ask({ type: 'ping' });
    const closed = once(first.socket, 'close');
    expect(await (await newPeer()).ask({ type: 'ping' })).toMatchObject({ result: 'pong' });
    await closed;
  });

  it('ignores blank lines, and ends a connection with more than 64 of them in a row', async () => {
    const peer = await (await start())();
    const blanks = Array<string>(64).fill(' \t\r');
    peer.send(...blanks, { type: 'ping' }, ...blanks, { type: 'ping' });
    expect([await peer.next(), await peer.next()]).toMatchObject([{ result: 'pong' }, { result: 'pong' }]);
    peer.send(...blanks, '');
    expect(await peer.next()).toMatchObject({
      reason: 'INVALID_FIELD',
      error: 'there are more than 64 empty lines in a row; send a JSON object a line',
    });
    await once(peer.socket, 'close');
  });

  it.each([
    ['a', true],
    ['!~'.repeat(2_048), true],
    ['', false],
    ['a'.repeat(4_097), false],
    ['a b', false],
    ['é', false],
  ])('accepts a token of 1 to 4096 printable characters: %.10s', async (token, isAccepted) => {
    const peer = await (await start({ maxLineBytes: 10_000 }))();
    const { type, reason, field } = await peer.ask({ type: 'ping', token });
    expect([type, reason, field]).toEqual(
      isAccepted ? ['ping', undefined, undefined] : ['error', 'BAD_CREDENTIALS', 'token'],
    );
  });

  it.each([
    ['reset', 'ADMIN_FORBIDDEN', /^callers of the bridge may not reset the metrics; set bridge\.reset/],
    ['reset', 'BAD_CREDENTIALS', /^no$/],
    ['get', 'ADMIN_FORBIDDEN', /^no$/],
  ] as const)('explains a refused %s with %s', async (what, kind, message) => {
    const peer = await (await start({ authorize: () => new RouterError(kind, 'no') }))();
    const answer = await peer.ask({ type: 'metrics', reset: what === 'reset' });
    expect([answer['reason'], answer['error']]).toEqual([kind, expect.stringMatching(message)]);
  });

  it('listens on a Unix socket', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'bridge-')), 'socket');
    bridge = new Bridge(METHODS, { ...LISTENING, listen: `unix:${path}` });
    expect(await bridge.start()).toBe(`unix:${path}`);
    const peer = new LinePeer(connect({ path }));
    sockets.push(peer.socket);
    expect(await peer.ask({ type: 'ping' })).toMatchObject({ result: 'pong' });
  });

  it('refuses to start at an address that is taken', async () => {
    await start();
    const other = new Bridge(METHODS, { ...LISTENING, listen: address });
    await expect(other.start()).rejects.toThrow(`cannot listen on ${address}: something else listens there`);
  });
});

describe('the caller of a line', () => {
  let owner: CallerAccount;

  const startWith = async (limits: Partial<CallerLimits>): Promise<LinePeer> => {
    owner = new CallerAccount('ann', { ...NO_LIMITS, ...limits }, { calls: 0, refused: 0 });
    const authorize = (): RouterError | CallerAccount => owner.begin() ?? owner;
    return (await start({ authorize }))();
  };

  it('is passed to the handler with its address and its credentials', async () => {
    const peer = await startWith({});
    const { call } = await reasoning(peer, { type: 'reason', encoding: [1], token: 'secret' });
    expect([call.owner, call.peer, call.metadata.first('authorization')]).toEqual([
      owner,
      '127.0.0.1',
      'Bearer secret',
    ]);
    expect([call.deadlineMs, call.isOver, owner.isIdle]).toEqual([Infinity, false, false]);
  });

  it('holds the bytes of its request until it is answered', async () => {
    const peer = await startWith({ maxBytes: 20 });
    for (const _ of [1, 2, 3]) {
      const { call } = await reasoning(peer, { type: 'reason', text: '0123456789' });
      expect(owner.hold(12)).toBe(false);
      owner.hold(-12);
      call.answer(ReasonResponse.create());
      expect(await peer.next()).toMatchObject({ type: 'reason' });
      expect([owner.isIdle, owner.hold(20)]).toEqual([true, true]);
      owner.hold(-20);
    }
  });

  it('is refused with more bytes than it may hold, which are then released', async () => {
    const peer = await startWith({ maxBytes: 20 });
    const refused = await peer.ask({ type: 'reason', text: '01234567890123456789' });
    expect([refused['reason'], owner.isIdle, open.length]).toEqual(['CALLER_LIMIT', true, 0]);
    expect(owner.hold(20)).toBe(true);
  });
});
