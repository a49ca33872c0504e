// Time limits for a peer, apart from its streams: to send its preface, to read, and to answer a PING after a silence.
// Time is counted in ticks of a second.
import { ErrorCode } from './error-codes.ts';
import type { Limits } from './limits.ts';
import type { Output } from './output.ts';
import type { Pings } from './pings.ts';

export interface Overdue {
  readonly code: number;
  readonly text: string;
  readonly budget: string;
  /** The peer reads nothing, so it would not get a GOAWAY. */
  readonly isUnreachable: boolean;
}

export class TimeLimits {
  /** The peer's SETTINGS have arrived. */
  hasSettings = false;
  /** Something has arrived since the last tick. */
  hasRead = false;
  readonly #limits: Limits;
  readonly #output: Output;
  readonly #pings: Pings;
  // Seconds since the start, without progress in writing, and since the peer last sent something.
  #age = 0;
  #stall = 0;
  #idleTicks = 0;
  #written = 0;
  #isProbing = false;

  constructor(limits: Limits, output: Output, pings: Pings) {
    this.#limits = limits;
    this.#output = output;
    this.#pings = pings;
  }

  /** Called once a second. Returns the time limit that the peer has exceeded, or undefined. */
  tick(openStreams: number): Overdue | undefined {
    return this.#tickSettings() ?? this.#tickWriting() ?? this.#tickKeepalive(openStreams);
  }

  #tickSettings(): Overdue | undefined {
    const { prefaceSeconds } = this.#limits;
    if (this.hasSettings || this.#age++ < prefaceSeconds) return undefined;
    const text = `no preface and SETTINGS within ${prefaceSeconds} seconds`;
    return { code: ErrorCode.SETTINGS_TIMEOUT, text, budget: 'preface', isUnreachable: false };
  }

  #tickWriting(): Overdue | undefined {
    const { written, unwritten } = this.#output;
    if (unwritten === 0 || written !== this.#written) this.#stall = 0;
    else this.#stall++;
    this.#written = written;
    return this.#stall > this.#limits.stallSeconds ? UNREAD : undefined;
  }

  #tickKeepalive(openStreams: number): Overdue | undefined {
    const { keepaliveSeconds, keepaliveTimeoutSeconds, keepaliveWithoutStreams } = this.#limits;
    if (this.hasRead || keepaliveSeconds === 0) {
      this.hasRead = false;
      this.#idleTicks = 0;
      this.#isProbing = false;
      return undefined;
    }
    this.#idleTicks++;
    if (this.#isProbing)
      return this.#idleTicks < keepaliveTimeoutSeconds ? undefined : noAnswer(keepaliveTimeoutSeconds);
    if (this.#idleTicks < keepaliveSeconds || (openStreams === 0 && !keepaliveWithoutStreams)) return undefined;
    this.#isProbing = true;
    this.#idleTicks = 0;
    this.#pings.send(() => undefined);
    return undefined;
  }
}

export const UNREAD: Overdue = {
  code: ErrorCode.ENHANCE_YOUR_CALM,
  text: 'the peer does not read what is sent to it',
  budget: 'unread answers',
  isUnreachable: true,
};

function noAnswer(seconds: number): Overdue {
  const text = `the peer has not answered a PING within ${seconds} seconds`;
  return { code: ErrorCode.CONNECT_ERROR, text, budget: 'keepalive', isUnreachable: true };
}
