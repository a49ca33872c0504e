// A network between the router and a real engine that flips one to three random bits in some chunks.
import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import { Random } from '../fuzz/random.ts';
import { connectTo } from '../support/connect-to.ts';
import { unusedSocket } from '../support/sidecar.ts';

const MOST_FLIPS = 3;

export interface CorruptionOptions {
  readonly seed: number;
  /** Of the chunks, 0 to 1. May be changed while it runs. */
  toEngine: number;
  toRouter: number;
}

export class CorruptingLink {
  /** The address of the engine for the router. */
  readonly address = unusedSocket();
  /** Chunks that were passed on, and those of them with flipped bits. */
  chunks = 0;
  corrupted = 0;
  connections = 0;
  readonly #engineAddress: string;
  readonly #options: CorruptionOptions;
  readonly #random: Random;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(engineAddress: string, options: CorruptionOptions) {
    this.#engineAddress = engineAddress;
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  async start(): Promise<this> {
    this.#server = createServer((router) => this.#relay(router));
    this.#server.listen(this.address.slice('unix:'.length));
    await once(this.#server, 'listening');
    return this;
  }

  stop(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #relay(router: Socket): void {
    const engine = connectTo(this.#engineAddress);
    this.connections += 1;
    this.#pass(router, engine, () => this.#options.toEngine);
    this.#pass(engine, router, () => this.#options.toRouter);
  }

  #pass(source: Socket, sink: Socket, share: () => number): void {
    this.#sockets.add(source);
    source.on('error', () => undefined); // 'close' follows
    source.on('close', () => {
      this.#sockets.delete(source);
      sink.destroy();
    });
    source.on('data', (chunk) => {
      if (!sink.destroyed) sink.write(this.#corrupt(chunk, share()));
    });
    source.on('end', () => sink.end());
  }

  #corrupt(chunk: Buffer, share: number): Buffer {
    this.chunks += 1;
    if (!this.#random.chance(share)) return chunk;
    this.corrupted += 1;
    const bits = 8 * chunk.length;
    const flipped = new Set(
      this.#random.list(this.#random.integer(1, MOST_FLIPS), () => this.#random.integer(0, bits - 1)),
    );
    for (const bit of flipped) chunk[bit >> 3]! ^= 1 << (bit & 7);
    return chunk;
  }
}
