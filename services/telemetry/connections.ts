// Counts connected clients by Node's diagnostics channel `net.server.socket`, which publishes every accepted socket of
// this process. So it counts for both edges and adds no cost to calls.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNEL = 'net.server.socket';

export class ClientConnections {
  #port: number | undefined;
  #open = 0;
  #total = 0;

  /** Open now. */
  get open(): number {
    return this.#open;
  }

  /** Opened since listen(). */
  get total(): number {
    return this.#total;
  }

  /**
   * Starts counting. `address`: the bound address of the gRPC server, such as "127.0.0.1:50051" or
   * "unix:/run/tandem.sock". Sockets of a Unix listener do not have their path, so all of them count: the router has no
   * other Unix listener.
   */
  listen(address: string): void {
    this.#port = address.startsWith('unix:') ? undefined : Number(/:(\d+)$/.exec(address)?.[1]);
    subscribe(CHANNEL, this.#accepted);
  }

  stop(): void {
    unsubscribe(CHANNEL, this.#accepted);
  }

  readonly #accepted = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== this.#port) return;
    this.#open += 1;
    this.#total += 1;
    socket.once('close', () => (this.#open -= 1));
  };
}
