// Methods of a server, each with a handler that gets a call. A handler ends its call by `answer`, `end` or `fail`, now
// or later. Operations on an ended call do nothing.
import type { Pacer } from '../http2/index.ts';
import type { Inspect } from './message-reader.ts';
import type { Metadata } from './metadata.ts';
import type { Status } from './status.ts';

/** The caller, from the server's `authorize`. It can slow down the reading of its connections. */
export interface CallOwner extends Pacer {
  /** Counts a call that no limit counts: it was refused before it began, or it needs no caller. */
  unpaid(): void;
  /** Changes the number of request bytes held. Returns false if that is too many: then the call ends. */
  hold(bytes: number): boolean;
  /** The call has ended. */
  ended(): void;
}

/** Events of a call for its handler. */
export interface CallListener<Request = never> {
  /** A message of a stream of requests. */
  onMessage?(request: Request): void;
  /** The stream of requests has ended, after all calls of onMessage. */
  onEnd?(): void;
  /** After `send` returned false, or `hasUnsent` was true: everything is sent. */
  onDrain?(): void;
  /**
   * The call is over because its caller left or its deadline passed. Called once, and not if the handler itself ended
   * it.
   */
  onCut?(): void;
}

export interface IncomingCall<Response = unknown> {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly metadata: Metadata;
  /** IP address of the caller; empty: none, as on a Unix socket, or the caller is gone. */
  readonly peer: string;
  /** Undefined: the server knows none. */
  readonly owner: CallOwner | undefined;
  /** When its headers arrived, by performance.now(). */
  readonly startedMs: number;
  /** By the same clock; Infinity: none. */
  readonly deadlineMs: number;
  readonly isOver: boolean;
  /** The caller reads slower than the handler sends. */
  readonly hasUnsent: boolean;
  listener: CallListener | undefined;
  /** Sends the only message, and OK. */
  answer(response: Response): void;
  /** Sends one of several messages. Returns false if the handler should wait for onDrain. */
  send(response: Response): boolean;
  /** Ends with OK. `trailers`: sent with it. */
  end(trailers?: Metadata): void;
  fail(status: Status): void;
  /** Stops calls of onMessage and, by flow control, the caller, until `resume`. */
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
  /** For each call: gets uncompressed requests as they arrive. */
  readonly inspector?: (owner: CallOwner | undefined) => Inspect;
}

/** The caller sends one message. */
export interface OneRequestMethod<Request, Response> extends AnyMethod<Request, Response> {
  readonly requestStream: false;
  readonly responseStream: boolean;
  readonly handle: (call: IncomingCall<Response>, request: Request) => void;
}

/** The caller sends any number of messages; the handler sets the call's listener to get them. */
export interface StreamMethod<Request, Response> extends AnyMethod<Request, Response> {
  readonly requestStream: true;
  readonly responseStream: boolean;
  readonly handle: (call: IncomingCall<Response>) => void;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list of methods has one type each
export type Method = OneRequestMethod<any, any> | StreamMethod<any, any>;
