// A bad network between the router and a real engine: bytes come late, not at all, or the line is cut.
import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import { Random } from '../fuzz/random.ts';
import { connectTo } from '../support/connect-to.ts';
import { unusedSocket } from '../support/sidecar.ts';
import { type TcpConditions, TcpTimes } from './tcp-conditions.ts';

/** As much as the socket buffers of a connection hold: then its writer must wait. */
const MAX_QUEUED_BYTES = 65_536;

export class SlowLink {
  /** Where the router finds the engine now. */
  readonly address = unusedSocket();
  /** By how much what the engine says from now on comes late. Its order stays, and any amount may be under way. */
  delayMs = 0;
  /** Of the network, for both directions; undefined: it is good. */
  conditions: TcpConditions | undefined;
  /** Connections that were ever taken, and those that are open. */
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

  /** What `conditions` leave to chance follows from `seed`. */
  constructor(engineAddress: string, seed = 1) {
    this.#engineAddress = engineAddress;
    this.#random = new Random(seed);
  }

  async start(): Promise<this> {
    await this.restore();
    return this;
  }

  /** While it is stalled both sides hear nothing of each other, not even that the other one is gone. */
  get stalled(): boolean {
    return this.#stalled;
  }

  set stalled(stalled: boolean) {
    this.#stalled = stalled;
    for (const direction of this.#directions) direction.pump();
  }

  /** Breaks every connection, with what is under way on it, and refuses new ones. */
  cut(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes connections again. */
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

  /** Of one direction of one connection. */
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
  /** When what is sent now is to be passed on. */
  readonly dueMs: (bytes: number) => number;
  readonly passed: (bytes: number) => void;
}

/** Passes on what a socket says, its end and its loss included, in order. */
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

  /** Passes on what is due. */
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
