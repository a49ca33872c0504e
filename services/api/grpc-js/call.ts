// Adapts a call of grpc-js to the interface that handlers use.
import * as grpc from '@grpc/grpc-js';
import { Metadata } from '../../grpc/metadata.ts';
import type { CallListener, CallOwner, IncomingCall, Method } from '../../grpc/method.ts';
import { type Status, codeName } from '../../grpc/status.ts';
import { ownerOf } from './owners.ts';

/** grpc-js treats a falsy request, such as an empty string, as missing. */
interface Box {
  readonly request: unknown;
}

type UnaryCall = grpc.ServerUnaryCall<Box, unknown>;
type WritingCall = grpc.ServerWritableStream<Box, unknown>;
type StreamCall = grpc.ServerDuplexStream<Box, unknown>;

const BINARY = '-bin';

/** Adds these methods to the server. */
export function addMethods(server: grpc.Server, methods: readonly Method[]): void {
  for (const method of methods) {
    const encode = (response: unknown): Buffer => toBuffer(method.encode(response));
    const decode = (bytes: Buffer): Box => ({ request: method.decode(bytes) as unknown });
    const register = (handler: unknown, type: string): void =>
      void server.register(method.path, handler as grpc.UntypedHandleCall, encode, decode, type);
    if (method.requestStream) {
      register((call: StreamCall) => method.handle(new StreamAdapter(method.path, call)), 'bidi');
    } else if (method.responseStream) {
      register(
        (call: WritingCall) => method.handle(new WritingAdapter(method.path, call), call.request.request),
        'serverStream',
      );
    } else {
      register((call: UnaryCall, reply: grpc.sendUnaryData<unknown>) => {
        method.handle(new UnaryAdapter(method.path, call, reply), call.request.request);
      }, 'unary');
    }
  }
}

abstract class Adapter<Call extends UnaryCall | WritingCall | StreamCall> implements IncomingCall {
  readonly path: string;
  readonly startedMs = performance.now();
  readonly deadlineMs: number;
  readonly owner: CallOwner | undefined;
  listener: CallListener | undefined;
  isOver = false;
  protected readonly call: Call;
  #metadata: Metadata | undefined;

  constructor(path: string, call: Call) {
    this.path = path;
    this.call = call;
    this.owner = ownerOf(call);
    this.deadlineMs = this.startedMs + remainingMs(call.getDeadline());
    // Emitted when the caller leaves, when its deadline passes, and also at the end of every successful call.
    (call as UnaryCall).on('cancelled', () => this.cut());
  }

  get metadata(): Metadata {
    return (this.#metadata ??= fromGrpcJs(this.call.metadata));
  }

  /** grpc-js includes the port. */
  get peer(): string {
    const peer = this.call.getPeer();
    return peer.slice(0, Math.max(0, peer.lastIndexOf(':')));
  }

  abstract readonly hasUnsent: boolean;
  abstract answer(response: unknown): void;
  abstract send(response: unknown): boolean;
  abstract end(): void;
  abstract fail(status: Status): void;

  pause(): void {}
  resume(): void {}

  protected cut(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener?.onCut?.();
  }
}

class UnaryAdapter extends Adapter<UnaryCall> {
  readonly hasUnsent = false;
  readonly #reply: grpc.sendUnaryData<unknown>;

  constructor(path: string, call: UnaryCall, reply: grpc.sendUnaryData<unknown>) {
    super(path, call);
    this.#reply = reply;
  }

  answer(response: unknown): void {
    this.isOver = true;
    this.#reply(null, response);
  }

  fail(status: Status): void {
    this.isOver = true;
    this.#reply(toGrpcJs(status));
  }

  /** A unary call has one answer. */
  send(response: unknown): boolean {
    this.answer(response);
    return false;
  }

  end(): void {}
}

class WritingAdapter<Call extends WritingCall | StreamCall> extends Adapter<Call> {
  get hasUnsent(): boolean {
    return this.call.writableLength > 0;
  }

  answer(response: unknown): void {
    this.send(response);
    this.end();
  }

  send(response: unknown): boolean {
    if (this.isOver) return false;
    return this.call.write(response, () => {
      if (!this.hasUnsent) this.listener?.onDrain?.();
    });
  }

  end(): void {
    this.isOver = true;
    this.call.end();
  }

  fail(status: Status): void {
    if (this.isOver) return;
    this.isOver = true; // before the error is raised, which else would count as the caller's
    this.call.emit('error', toGrpcJs(status)); // how grpc-js is told of a status
  }
}

class StreamAdapter extends WritingAdapter<StreamCall> {
  constructor(path: string, call: StreamCall) {
    super(path, call);
    call.on('data', ({ request }: Box) => this.listener?.onMessage?.(request as never));
    call.on('end', () => this.listener?.onEnd?.());
    call.on('error', () => this.cut());
  }

  override pause(): void {
    this.call.pause();
  }

  override resume(): void {
    if (this.call.isPaused()) this.call.resume();
  }
}

export function remainingMs(deadline: grpc.Deadline): number {
  return deadline instanceof Date
    ? deadline.getTime() - Date.now()
    : deadline === Infinity
      ? Infinity
      : deadline - Date.now();
}

function fromGrpcJs(metadata: grpc.Metadata): Metadata {
  const list = Object.entries(metadata.toJSON()).flatMap(([name, values]) =>
    values.flatMap((value) => [name, typeof value === 'string' ? value : value.toString('base64')]),
  );
  return new Metadata(list);
}

export function toGrpcJs({ code, message, metadata }: Status): grpc.StatusObject {
  const trailers = new grpc.Metadata();
  const list = metadata?.list ?? [];
  for (let at = 0; at < list.length; at += 2) {
    const [name, value] = [list[at]!, list[at + 1]!];
    trailers.add(name, name.endsWith(BINARY) ? Buffer.from(value, 'base64') : value);
  }
  return { code: grpc.status[codeName(code)], details: message, metadata: trailers };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
