// Client connections that ended with an error: counted by kind and logged, equal ones with a count.
import type { Log } from './log.ts';
import { Repeats } from './repeats.ts';

export interface ConnectionFault {
  /** The exceeded budget, or the HTTP/2 error code: one of a few fixed texts. */
  readonly kind: string;
  /** What happened. */
  readonly text: string;
  /** IP address of the client; empty: it has none. */
  readonly peer: string;
}

export class ConnectionFaults {
  /** By kind, since the process started. */
  readonly counts = new Map<string, number>();
  readonly #log: Repeats<ConnectionFault, void>;

  constructor(log: Pick<Log, 'warn'>) {
    this.#log = new Repeats(({ kind, text, peer }, { count }) =>
      log.warn({ kind, why: text, peer, count }, 'a connection of a client ended by a fault'),
    );
  }

  add(fault: ConnectionFault): void {
    const { kind } = fault;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#log.add(kind, kind, fault);
  }

  /** Logs the remaining ones. */
  stop(): void {
    this.#log.stop();
  }
}
