// The old protocol: one JSON object per line over TCP, answered in order. Each line becomes a call of the API, with the
// same roles, limits and metrics as over gRPC.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { CallerAccount } from '../../auth/caller-account.ts';
import { ConnectionLimit } from '../../core/connection-limit.ts';
import { RouterError } from '../../core/errors.ts';
import { type Listener, TAKEN, listen } from '../../grpc/listen.ts';
import { Metadata } from '../../grpc/metadata.ts';
import type { Method, OneRequestMethod } from '../../grpc/method.ts';
import { cannotListen, freeSocketPath } from '../socket-path.ts';
import { answerOf, failureOf } from './answers.ts';
import { InnerCall } from './inner-call.ts';
import { LineSplitter, LineTooLong } from './line-splitter.ts';
import { type Message, RESET_METRICS, translate } from './messages.ts';

export interface BridgeSettings {
  /** "host:port" or "unix:PATH". */
  readonly listen: string;
  readonly maxLineBytes: number;
  readonly maxConnections: number;
  /** Whether callers may reset the metrics if setting `auth` lists no caller. */
  readonly allowsReset: boolean;
}

export interface BridgeOptions extends BridgeSettings {
  /** As for an edge. */
  readonly authorize: (path: string, metadata: Metadata, socket: Socket) => RouterError | CallerAccount | undefined;
  /** Whether setting `auth` lists callers. */
  readonly isAuthRequired: () => boolean;
}

/** Connections above the limit that may be accepted before the ones they displace are closed. */
const BURST = 16;
/** Maximum consecutive empty lines of a connection: they cost the sender nothing. */
const MAX_BLANK_LINES = 64;
const TOKEN = /^[\x21-\x7e]{1,4096}$/;
/** Calls that need no role if `auth` lists no caller. */
const GET_METRICS = '/tandem.v1.MetricsService/GetMetrics';

export class Bridge {
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #options: BridgeOptions;
  readonly #connections: ConnectionLimit;
  readonly #open = new Set<Socket>();
  readonly #atWork = new Set<Socket>();
  #listener: Listener | undefined;
  #isStopping = false;

  constructor(methods: readonly Method[], options: BridgeOptions) {
    this.#methods = new Map(methods.map((method) => [method.path, method]));
    this.#options = options;
    this.#connections = new ConnectionLimit(options.maxConnections);
  }

  /** Resolves to the bound address. */
  async start(): Promise<string> {
    const { listen: address } = this.#options;
    await freeSocketPath(address);
    try {
      this.#listener = await listen(address, (socket) => void this.#serve(socket));
    } catch (error) {
      throw cannotListen(address, (error as Error).message);
    }
    for (const server of this.#listener.servers) this.#connections.watch(server, TAKEN, BURST);
    return address.replace(/:0$/, `:${this.#listener.port}`);
  }

  /** Accepts no more lines. Each connection closes when its current line is answered. */
  drain(): void {
    this.#isStopping = true;
    this.#listener?.close();
    for (const socket of this.#open) if (!this.#atWork.has(socket)) socket.destroy();
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async #serve(socket: Socket): Promise<void> {
    this.#open.add(socket);
    socket.on('error', () => undefined); // it closes by itself
    socket.once('close', () => this.#open.delete(socket));
    const caller = new BridgeCaller(socket);
    const lines = new LineSplitter(this.#options.maxLineBytes);
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        const last = await this.#answerAll(lines.push(chunk), caller);
        if (last === undefined) continue;
        await Promise.race([once(socket.end(last), 'finish'), once(socket, 'close')]);
        return;
      }
    } catch {
      socket.destroy(); // the connection is lost
    }
  }

  /**
   * Returns the last message for a connection that must end; undefined: it continues. It ends at the first line that is
   * not a JSON object, because a browser page could send such lines inside an HTTP request.
   */
  async #answerAll(lines: Iterable<Buffer>, caller: BridgeCaller): Promise<string | undefined> {
    try {
      for (const line of lines) {
        if (isBlank(line)) caller.sentBlank();
        else await this.#answer(caller.sent(parse(line)), caller);
        if (this.#isStopping) return '';
      }
      return undefined;
    } catch (error) {
      if (error instanceof LineTooLong) return textOf(failureOf(this.#tooLong(), undefined));
      if (error instanceof RouterError) return textOf(failureOf(error, undefined));
      throw error;
    }
  }

  #tooLong(): RouterError {
    const message = `a line has more than ${this.#options.maxLineBytes} bytes (setting bridge.max_line_bytes); send less`;
    return new RouterError('MESSAGE_TOO_LARGE', message);
  }

  async #answer(message: Message, caller: BridgeCaller): Promise<void> {
    const { socket } = caller;
    if (!this.#open.has(socket)) return;
    this.#connections.working(socket);
    this.#atWork.add(socket);
    try {
      const text = textOf(await this.#call(message, caller));
      if (this.#open.has(socket) && !socket.write(text))
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    } finally {
      this.#atWork.delete(socket);
      this.#connections.done(socket);
    }
  }

  /** Never rejects. */
  async #call(message: Message, caller: BridgeCaller): Promise<Message> {
    try {
      const { path, request, answer } = translate(message);
      const metadata = caller.metadataOf(message['token']);
      const owner = this.#ownerOf(path, metadata, caller.socket, request.length);
      const call = new InnerCall(path, { metadata, peer: caller.socket.remoteAddress ?? '', owner });
      const cut = (): void => call.cut();
      caller.socket.once('close', cut);
      try {
        // All translated methods are unary.
        const method = this.#methods.get(path) as OneRequestMethod<unknown, unknown>;
        return answerOf(message, answer(await call.run(method, request)));
      } finally {
        caller.socket.off('close', cut);
        owner?.hold(-request.length);
        owner?.ended();
      }
    } catch (error) {
      return failureOf(error, message);
    }
  }

  /** Throws the reason if the call is refused. `bytes`: size of the request. */
  #ownerOf(path: string, metadata: Metadata, socket: Socket, bytes: number): CallerAccount | undefined {
    const { allowsReset, isAuthRequired, authorize } = this.#options;
    const isPlainReset = path === RESET_METRICS && allowsReset && !isAuthRequired();
    const owner = authorize(isPlainReset ? GET_METRICS : path, metadata, socket);
    if (owner instanceof RouterError)
      throw path === RESET_METRICS && owner.kind === 'ADMIN_FORBIDDEN' ? noReset() : owner;
    if (owner === undefined || owner.hold(bytes)) return owner;
    owner.hold(-bytes);
    owner.ended();
    throw owner.tooManyBytes();
  }
}

function noReset(): RouterError {
  const message =
    'callers of the bridge may not reset the metrics; set bridge.reset to true, or list a caller with role operate in setting auth';
  return new RouterError('ADMIN_FORBIDDEN', message);
}

/** One connection, and the credentials that it sent. */
class BridgeCaller {
  readonly socket: Socket;
  #token: unknown;
  #metadata = new Metadata();
  #blankLines = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Throws INVALID_FIELD after too many consecutive empty lines. */
  sentBlank(): void {
    this.#blankLines += 1;
    if (this.#blankLines <= MAX_BLANK_LINES) return;
    const message = `there are more than ${MAX_BLANK_LINES} empty lines in a row; send a JSON object a line`;
    throw new RouterError('INVALID_FIELD', message);
  }

  sent(message: Message): Message {
    this.#blankLines = 0;
    return message;
  }

  /** The token of a line. It is valid for later lines, too. */
  metadataOf(token: unknown): Metadata {
    if (token === undefined || token === this.#token) return this.#metadata;
    if (typeof token !== 'string' || !TOKEN.test(token)) {
      throw new RouterError('BAD_CREDENTIALS', 'token must be 1 to 4096 printable ASCII characters', {
        field: 'token',
      });
    }
    this.#token = token;
    this.#metadata = Metadata.of({ authorization: `Bearer ${token}` });
    return this.#metadata;
  }
}

/** Throws INVALID_FIELD if the line is not a JSON object. */
function parse(line: Buffer): Message {
  const message = 'the line is no JSON object; send one such as {"type": "ping"}';
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw new RouterError('INVALID_FIELD', message, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Message;
  throw new RouterError('INVALID_FIELD', message);
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

function textOf(message: Message): string {
  return `${JSON.stringify(message)}\n`;
}
