// The attacks of a hostile client on an engine. An attack runs until its end, and restarts everything that the engine
// ends.
import { randomBytes } from 'node:crypto';
import { type ClientHttp2Stream, type OutgoingHttpHeaders, connect } from 'node:http2';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Detail, EngineServiceService, InferItem } from '../../services/generated/tandem/engine/v1/engine.ts';
import { connectTo } from '../support/connect-to.ts';
import { MAX_WINDOW, framed, handMade, opening } from './hostile-frames.ts';
import { pause } from './scenario.ts';

export interface Target {
  readonly address: string;
  /** A model that answers the input 1 with a large raster. */
  readonly model: string;
  readonly isOver: () => boolean;
}

export type Play = (target: Target) => Promise<void>;

const { infer, inferStream, trace } = EngineServiceService;
/** As many as the engine allows on a connection. */
const STREAMS = 256;
const RASTERS_A_STREAM = 64;
/** By then the engine has ended calls with unread answers. */
const AGAIN_MS = 12_000;
const UNARY_CONNECTIONS = 16;
/** Prevents a busy loop if the attack is refused. */
const RETRY_MS = 250;
const RESETS_A_TURN = 500;
const HUGE_BYTES = 64 * 1_024 * 1_024;
const HUGE_CALLS = 8;
const CONNECTIONS = 3_000;
const GARBAGE_CONNECTIONS = 50;
const GARBAGE_BYTES = 65_536;
const BOMB_CALLS = 64;

function item({ model }: Target, id: number): InferItem {
  const data = Buffer.from(Float32Array.of(1).buffer);
  return InferItem.fromPartial({ id: BigInt(id), model, shape: [1], data, detail: Detail.DETAIL_RASTER });
}

/** Keeps `count` connections open; `open` begins the harm of one. */
async function keepOpen({ isOver }: Target, count: number, open: () => Socket): Promise<void> {
  const sockets = new Set<Socket>();
  while (!isOver()) {
    while (sockets.size < count) {
      const socket = open();
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    await pause(RETRY_MS);
  }
  for (const socket of sockets) socket.destroy();
}

/** As many calls as a connection may have, on `count` of them. `window`: 0, or nothing is read from the sockets. */
function calls(count: number, path: string, body: (target: Target) => Buffer, { window = 0, ends = true } = {}): Play {
  return async (target) => {
    const bytes = body(target);
    await keepOpen(target, count, () => {
      const { socket, call } = handMade(target.address, { window, reads: window === 0 });
      const fill = (): void => {
        for (let at = 0; at < STREAMS; at += 1) call(path, bytes, { ends });
      };
      fill();
      const again = setInterval(fill, AGAIN_MS);
      socket.on('close', () => clearInterval(again));
      return socket;
    });
  };
}

const oneInput = (target: Target): Buffer => framed(infer.requestSerialize({ item: item(target, 1) }));

const manyInputs = (target: Target): Buffer => {
  const items = Array.from({ length: RASTERS_A_STREAM }, (_, at) => item(target, at));
  return framed(inferStream.requestSerialize({ items, cancelIds: [], checksum: 0n }));
};

const oneTrace = (target: Target): Buffer =>
  framed(trace.requestSerialize({ item: item(target, 1), place: undefined }));

const rapidReset: Play = async (target) => {
  const body = oneInput(target);
  await keepOpen(target, 1, () => {
    const { socket, call, reset } = handMade(target.address, { window: MAX_WINDOW, reads: true });
    const turn = setInterval(() => {
      if (socket.writableNeedDrain) return;
      for (let at = 0; at < RESETS_A_TURN; at += 1) reset(call(infer.path, body, { ends: true }));
    }, 5);
    socket.on('close', () => clearInterval(turn));
    return socket;
  });
};

/** Sends `count` calls with `body` at a time, repeatedly, with a correct library. */
async function send(
  { address, isOver }: Target,
  count: number,
  body: Buffer,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const request = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', ...headers };
  while (!isOver()) {
    const session = connect(`http://${address}`).on('error', () => undefined);
    const over = (stream: ClientHttp2Stream): Promise<void> =>
      new Promise((resolve) => {
        stream.on('error', () => undefined).on('close', resolve);
        stream.on('trailers', () => stream.destroy()).resume();
        stream.end(body);
      });
    const all = Array.from({ length: count }, (_, at) =>
      over(session.request({ ...request, ':path': at % 2 === 0 ? infer.path : inferStream.path })),
    );
    await Promise.race([Promise.all(all), pause(5_000)]);
    session.destroy();
    await pause(RETRY_MS);
  }
}

export const PLAYS: Readonly<Record<string, Play>> = {
  rasters: calls(1, inferStream.path, manyInputs, { ends: false }),
  unread: calls(UNARY_CONNECTIONS, infer.path, oneInput),
  sockets: calls(UNARY_CONNECTIONS, infer.path, oneInput, { window: MAX_WINDOW }),
  resets: rapidReset,
  traces: calls(UNARY_CONNECTIONS, trace.path, oneTrace),
  huge: (target) => send(target, HUGE_CALLS, framed(Buffer.alloc(HUGE_BYTES)), {}),
  bombs: (target) =>
    send(target, BOMB_CALLS, framed(gzipSync(Buffer.alloc(HUGE_BYTES)), true), { 'grpc-encoding': 'gzip' }),
  connections: (target) =>
    keepOpen(target, CONNECTIONS, () => {
      const socket = connectTo(target.address).on('error', () => undefined);
      socket.write(opening(0));
      return socket.resume();
    }),
  garbage: (target) =>
    keepOpen(target, GARBAGE_CONNECTIONS, () => {
      const socket = connectTo(target.address).on('error', () => undefined);
      socket.write(Buffer.concat([opening(0), randomBytes(GARBAGE_BYTES)]));
      return socket.resume();
    }),
};
