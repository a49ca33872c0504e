// A bad network between the router and a real engine: bytes come late, not at all, or the line is cut.
import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import { connectTo } from '../support/connect-to.ts';
import { unusedSocket } from '../support/sidecar.ts';

export class SlowLink {
  /** Where the router finds the engine now. */
  readonly address = unusedSocket();
  /** By how much what the engine says from now on comes late. Its order stays, and any amount may be under way. */
  delayMs = 0;
  /** Connections that were ever taken, and those that are open. */
  connections = 0;
  open = 0;
  /** Bytes that were passed on. */
  readonly bytes = { toEngine: 0, toRouter: 0 };
  readonly #engineAddress: string;
  readonly #sockets = new Set<Socket>();
  readonly #directions = new Set<Direction>();
  #stalled = false;
  #server: Server | undefined;

  constructor(engineAddress: string) {
    this.#engineAddress = engineAddress;
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
      delayMs: () => 0,
      passed: (bytes) => (this.bytes.toEngine += bytes),
    });
    const toRouter = new Direction(engine, router, {
      held,
      delayMs: () => this.delayMs,
      passed: (bytes) => (this.bytes.toRouter += bytes),
    });
    for (const direction of [toEngine, toRouter]) {
      this.#directions.add(direction);
      direction.sink.once('close', () => this.#directions.delete(direction));
    }
  }
}

interface Conduct {
  readonly held: () => boolean;
  readonly delayMs: () => number;
  readonly passed: (bytes: number) => void;
}

/** Passes on what a socket says, its end and its loss included, in order. HTTP/2's windows bound what it holds. */
class Direction {
  readonly sink: Socket;
  readonly #conduct: Conduct;
  readonly #queue: { readonly dueMs: number; readonly pass: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, conduct: Conduct) {
    this.sink = sink;
    this.#conduct = conduct;
    const later = (pass: () => void): void => {
      this.#queue.push({ dueMs: performance.now() + conduct.delayMs(), pass });
      this.pump();
    };
    source.on('data', (chunk) => later(() => this.#write(chunk)));
    source.on('end', () => later(() => sink.end()));
    source.on('close', (broken) => {
      if (broken) later(() => sink.destroy());
    });
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
    if (this.sink.destroyed) return;
    this.sink.write(chunk);
    this.#conduct.passed(chunk.length);
  }
}
