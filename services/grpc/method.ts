// What a server serves: methods, each with a handler that is given a call. A handler ends its call by `answer`, `end` or
// `fail`, now or later; what it does with a call that is over does nothing.
import type { Inspect } from './message-reader.ts';
import type { Metadata } from './metadata.ts';
import type { Status } from './status.ts';

/** The caller, as the server's `authorize` knows it. */
export interface CallOwner {
  /** So many more bytes of a request are held, or fewer. Returns false where that is too many: the call ends then. */
  hold(bytes: number): boolean;
  /** The call has ended. */
  ended(): void;
}

/** What a handler may hear of its call. */
export interface CallListener<Request = never> {
  /** A message of a stream of requests. */
  onMessage?(request: Request): void;
  /** The stream of requests has ended: all have been given to onMessage. */
  onEnd?(): void;
  /** After `send` returned false, or `hasUnsent` was true: everything has left. */
  onDrain?(): void;
  /**
   * The call is over, since its caller has left or its deadline has passed. Called once, and not when the handler itself has
   * ended it.
   */
  onCut?(): void;
}

export interface IncomingCall<Response = unknown> {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly metadata: Metadata;
  /** IP address of the caller; empty: it has none, as on a Unix socket, or has left. */
  readonly peer: string;
  /** Undefined: the server knows none. */
  readonly owner: CallOwner | undefined;
  /** When its headers came, on performance.now()'s clock. */
  readonly startedMs: number;
  /** On the same clock; Infinity: none. */
  readonly deadlineMs: number;
  readonly isOver: boolean;
  /** The caller reads slower than the handler sends. */
  readonly hasUnsent: boolean;
  listener: CallListener | undefined;
  /** Sends the only message, and OK. */
  answer(response: Response): void;
  /** Sends one of several messages. Returns false where the handler should wait for onDrain. */
  send(response: Response): boolean;
  /** Ends with OK. `trailers`: sent with it. */
  end(trailers?: Metadata): void;
  fail(status: Status): void;
  /** Gives no messages to onMessage, and has the caller stop sending, until `resume`. */
  pause(): void;
  resume(): void;
}

interface AnyMethod<Request, Response> {
  /** "/package.Service/Method". */
  readonly path: string;
  /** What it throws ends the call with INTERNAL. The bytes may be kept. */
  readonly decode: (bytes: Buffer) => Request;
  /** The result must not be changed later. */
  readonly encode: (response: Response) => Uint8Array;
  /** For each call: sees requests that are not compressed while they come. */
  readonly inspector?: (owner: CallOwner | undefined) => Inspect;
}

/** The caller sends one message. */
export interface OneRequestMethod<Request, Response> extends AnyMethod<Request, Response> {
  readonly requestStream: false;
  readonly responseStream: boolean;
  readonly handle: (call: IncomingCall<Response>, request: Request) => void;
}

/** The caller sends any number of messages; the handler sets the call's listener to hear them. */
export interface StreamMethod<Request, Response> extends AnyMethod<Request, Response> {
  readonly requestStream: true;
  readonly responseStream: boolean;
  readonly handle: (call: IncomingCall<Response>) => void;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list of methods has one type each
export type Method = OneRequestMethod<any, any> | StreamMethod<any, any>;
