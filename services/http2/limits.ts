// The limits of a connection for its peer. The defaults need no configuration.
import { encodeHeaders } from './hpack-encoder.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { ReadTurns } from './read-turns.ts';

export interface Limits {
  /** Streams that a client may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). More are refused. */
  maxConcurrentStreams: number;
  /**
   * Bytes that the peer may send on one stream before they are consumed (SETTINGS_INITIAL_WINDOW_SIZE); at most 2^31 -
   * 1.
   */
  streamWindowBytes: number;
  /** The same for all streams of a connection; at least 65,535. */
  connectionWindowBytes: number;
  /** Largest header list: names, values and 32 bytes for each (SETTINGS_MAX_HEADER_LIST_SIZE). */
  maxHeaderListBytes: number;
  /** The header block that answers a request whose header list is larger. It ends the stream. */
  headersTooLargeAnswer: Buffer;
  /** The text that a client of HTTP/1.1 gets before its connection is closed. */
  http1Answer: string;
  /** Largest number of bytes of data that wait to be sent on a connection. A stream that adds more is reset. */
  maxQueuedBytes: number;
  /**
   * Largest number of bytes of other frames that wait because the peer does not read. A connection with more is closed.
   */
  maxUnreadBytes: number;
  /** Seconds until the preface and the first SETTINGS must have arrived. */
  prefaceSeconds: number;
  /** Seconds until a header block that has begun must be complete. */
  headerSeconds: number;
  /** Seconds in which a peer must read some of the waiting data. Otherwise the stream or the connection ends. */
  stallSeconds: number;
  /**
   * Seconds without a frame of the peer after which a PING is sent; 0 for never. A client sends none by default: many
   * servers close a connection with more than one PING in five minutes.
   */
  keepaliveSeconds: number;
  /** Seconds until that PING must be answered. */
  keepaliveTimeoutSeconds: number;
  /** Whether such a PING is sent when no stream is open. */
  keepaliveWithoutStreams: boolean;
  /** Limits on frames that cost work and are of no use: see budgets.ts. */
  budgets: BudgetLimits;
  /**
   * The memory that all connections may use together. Undefined for the budget that all connections without their own
   * share.
   */
  memory: MemoryBudget | undefined;
  /**
   * The turns in which the connections of a server read. Undefined for those that all connections without their own
   * share.
   */
  turns: ReadTurns | undefined;
}

/** `burst`: how many at once. `perSecond`: how many a second for ever. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface BudgetLimits {
  /**
   * RST_STREAM from the peer, and streams reset because of what the peer sent (CVE-2023-44487, CVE-2025-8671). A caller
   * resets its call when the deadline passes, so an ordinary client may do that some hundred times a second.
   */
  readonly resets: Rate;
  /** PING. Each frame with headers or data that is sent adds one: clients measure the round trip while they receive. */
  readonly pings: Rate;
  /** SETTINGS. */
  readonly settings: Rate;
  /** WINDOW_UPDATE. Each frame of data that is sent, and each stream that is opened, adds two. */
  readonly windowUpdates: Rate;
  /** DATA without data that does not end its stream. */
  readonly emptyData: Rate;
  /** PRIORITY, unknown frames, and frames for streams that have ended. Each stream that is opened adds two. */
  readonly ignored: Rate;
}

export const DEFAULT_LIMITS: Readonly<Limits> = {
  maxConcurrentStreams: 1_000,
  streamWindowBytes: 1 << 20,
  connectionWindowBytes: 16 << 20,
  maxHeaderListBytes: 16_384,
  headersTooLargeAnswer: encodeHeaders([':status', '431']),
  http1Answer: 'This port speaks HTTP/2 only. Use a client that starts with HTTP/2 (prior knowledge, no upgrade).\n',
  maxQueuedBytes: 64 << 20,
  maxUnreadBytes: 1 << 20,
  prefaceSeconds: 10,
  headerSeconds: 10,
  stallSeconds: 30,
  keepaliveSeconds: 60,
  keepaliveTimeoutSeconds: 20,
  keepaliveWithoutStreams: true,
  budgets: {
    resets: { burst: 5_000, perSecond: 500 },
    pings: { burst: 1_000, perSecond: 50 },
    settings: { burst: 100, perSecond: 10 },
    windowUpdates: { burst: 10_000, perSecond: 1_000 },
    emptyData: { burst: 1_000, perSecond: 100 },
    ignored: { burst: 10_000, perSecond: 1_000 },
  },
  memory: undefined,
  turns: undefined,
};

export function completeLimits(limits: Partial<Limits>, role: 'server' | 'client'): Limits {
  return { ...DEFAULT_LIMITS, ...(role === 'client' ? { keepaliveSeconds: 0 } : {}), ...limits };
}
