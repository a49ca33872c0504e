// PING frames that this side has sent: to measure round trips, for a graceful end, and to detect that a peer is gone.
import { FrameType } from './frames.ts';
import type { Output } from './output.ts';

type OnAnswer = (roundTripMs: number | undefined) => void;

class Ping {
  readonly number: number;
  readonly sentMs = performance.now();
  readonly onAnswer: OnAnswer;

  constructor(number: number, onAnswer: OnAnswer) {
    this.number = number;
    this.onAnswer = onAnswer;
  }
}

const NOTHING = new Uint8Array(0);

export class Pings {
  readonly #output: Output;
  #sent: Ping[] = [];
  #next = 1;

  constructor(output: Output) {
    this.#output = output;
  }

  send(onAnswer: OnAnswer): void {
    const ping = new Ping(this.#next++, onAnswer);
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(ping.number, 4);
    this.#sent.push(ping);
    this.#output.frame(FrameType.PING, 0, 0, payload, NOTHING);
  }

  /** Called when an answer with this payload has arrived. An answer to no ping is ignored. */
  onAck(payload: Buffer): void {
    const number = payload.readUInt32BE(4);
    const index = this.#sent.findIndex((ping) => ping.number === number);
    if (index < 0) return;
    const [ping] = this.#sent.splice(index, 1);
    ping!.onAnswer(performance.now() - ping!.sentMs);
  }

  /** The connection is closed. */
  close(): void {
    const sent = this.#sent;
    this.#sent = [];
    for (const ping of sent) ping.onAnswer(undefined);
  }
}
