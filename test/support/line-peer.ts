// A client of the bridge: it sends and receives lines of JSON.
import type { Socket } from 'node:net';
import { type Interface, createInterface } from 'node:readline';

export class LinePeer {
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
