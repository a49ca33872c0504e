// A bad network between the router and a real engine: bytes are late or lost, or the connection is cut.
import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import { Random } from '../fuzz/random.ts';
import { connectTo } from '../support/connect-to.ts';
import { unusedSocket } from '../support/sidecar.ts';
import { type TcpConditions, TcpTimes } from './tcp-conditions.ts';

/** The size of a connection's socket buffers: beyond it, its writer must wait. */
const MAX_QUEUED_BYTES = 65_536;

export class SlowLink {
  /** The address of the engine for the router. */
  readonly address = unusedSocket();
  /** The delay of bytes that the engine sends from now on. Their order stays, and any amount may be in transit. */
  delayMs = 0;
  /** Conditions of the network, for both directions; undefined: it is good. */
  conditions: TcpConditions | undefined;
  /** Numbers of all connections, and of open ones. */
  connections = 0;
  open = 0;
  /** Bytes that were passed on. */
  readonly bytes = { toEngine: 0, toRouter: 0 };
  readonly #engineAddress: string;
  readonly #random: Random;
  readonly #sockets = new Set<Socket>();
  readonly #directions = new Set<Direction>();
  #stalled = false;
  #server: Server | undefined;

  /** `seed` determines the random part of `conditions`. */
  constructor(engineAddress: string, seed = 1) {
    this.#engineAddress = engineAddress;
    this.#random = new Random(seed);
  }

  async start(): Promise<this> {
    await this.restore();
    return this;
  }

  /** While it is stalled, neither side gets anything from the other, not even its end. */
  get stalled(): boolean {
    return this.#stalled;
  }

  set stalled(stalled: boolean) {
    this.#stalled = stalled;
    for (const direction of this.#directions) direction.pump();
  }

  /** Breaks every connection, with its bytes in transit, and refuses new ones. */
  cut(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Accepts connections again. */
  async restore(): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true }, (router) => this.#relay(router));
    this.#server.listen(this.address.slice('unix:'.length));
    await once(this.#server, 'listening');
  }

  #relay(router: Socket): void {
    const engine = connectTo(this.#engineAddress, { allowHalfOpen: true });
    this.connections += 1;
    this.open += 1;
    router.once('close', () => (this.open -= 1));
    for (const socket of [router, engine]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined); // 'close' follows, and is passed on
      socket.once('close', () => this.#sockets.delete(socket));
    }
    const held = (): boolean => this.#stalled;
    const toEngine = new Direction(router, engine, {
      held,
      dueMs: this.#timetable(() => 0),
      passed: (bytes) => (this.bytes.toEngine += bytes),
    });
    const toRouter = new Direction(engine, router, {
      held,
      dueMs: this.#timetable(() => this.delayMs),
      passed: (bytes) => (this.bytes.toRouter += bytes),
    });
    for (const direction of [toEngine, toRouter]) {
      this.#directions.add(direction);
      direction.sink.once('close', () => this.#directions.delete(direction));
    }
  }

  /** One direction of one connection. */
  #timetable(delayMs: () => number): Conduct['dueMs'] {
    const times = new TcpTimes(this.#random);
    return (bytes) => {
      const nowMs = performance.now() + delayMs();
      return this.conditions === undefined ? nowMs : times.arrivalMs(bytes, nowMs, this.conditions);
    };
  }
}

interface Conduct {
  readonly held: () => boolean;
  /** The time at which bytes that are sent now are passed on. */
  readonly dueMs: (bytes: number) => number;
  readonly passed: (bytes: number) => void;
}

/** Passes on the bytes of a socket, its end and its loss, in order. */
class Direction {
  readonly sink: Socket;
  readonly #conduct: Conduct;
  readonly #queue: { readonly dueMs: number; readonly pass: () => void }[] = [];
  readonly #source: Socket;
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, conduct: Conduct) {
    this.sink = sink;
    this.#source = source;
    this.#conduct = conduct;
    source.on('data', (chunk) => {
      this.#queuedBytes += chunk.length;
      if (this.#queuedBytes > MAX_QUEUED_BYTES) source.pause();
      this.#later(chunk.length, () => this.#write(chunk));
    });
    source.on('end', () => this.#later(0, () => sink.end()));
    source.on('close', (broken) => {
      if (broken) this.#later(0, () => sink.destroy());
    });
  }

  #later(bytes: number, pass: () => void): void {
    this.#queue.push({ dueMs: this.#conduct.dueMs(bytes), pass });
    this.pump();
  }

  /** Passes on the bytes that are due. */
  pump(): void {
    clearTimeout(this.#timer);
    while (!this.#conduct.held() && this.#queue[0] !== undefined) {
      const waitMs = this.#queue[0].dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.ceil(waitMs));
        return;
      }
      this.#queue.shift()?.pass();
    }
  }

  #write(chunk: Buffer): void {
    this.#queuedBytes -= chunk.length;
    if (this.#queuedBytes <= MAX_QUEUED_BYTES) this.#source.resume();
    if (this.sink.destroyed) return;
    this.sink.write(chunk);
    this.#conduct.passed(chunk.length);
  }
}
