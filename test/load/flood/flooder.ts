// The program of the caller that floods; second-caller.ts starts it. It prints as JSON the amount that it sent.
import { parseArguments } from '../../support/arguments.ts';
import { GrpcClient } from '../../../services/grpc/client.ts';
import type { ClientMethod } from '../../../services/grpc/client-call.ts';
import { Metadata } from '../../../services/grpc/metadata.ts';
import { type Status, codeName } from '../../../services/grpc/status.ts';
import {
  type FloodKind,
  REASON,
  REASON_BATCH,
  REASON_STREAM,
  emptyItems,
  fullBatch,
  goodRequests,
  longInput,
  streamRequests,
} from './requests.ts';

const { values } = parseArguments({
  options: {
    kind: { type: 'string', default: 'calls' },
    address: { type: 'string', default: '' },
    token: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    // 0: as fast as possible. Else units a second, so that another server gets as many.
    rate: { type: 'string', default: '0' },
  },
});

const CONNECTIONS = 4;
/** Calls open at once on each connection. */
const OPEN: Readonly<Record<FloodKind, number>> = {
  calls: 64,
  items: 16,
  bytes: 4,
  gzip: 64,
  cancels: 64,
  streams: 64,
};
/** Open requests on each stream. */
const STREAM_WINDOW = 4;
/** After a lost connection, milliseconds. */
const RECONNECT_MS = 20;

export interface Flooded {
  /** Calls, batches, or requests on streams. */
  readonly sent: number;
  readonly perS: number;
  /** By the name of the status. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** How often the server closed a connection. */
  readonly lost: number;
}

const kind = values.kind as FloodKind;
const rate = Number(values.rate);
const metadata = Metadata.of({ authorization: `Bearer ${values.token}` });
const outcomes: Record<string, number> = {};
const beganMs = performance.now();
const endMs = beganMs + Number(values.seconds) * 1_000;
let sent = 0;
let lost = 0;

const isOver = (): boolean => performance.now() >= endMs;

/** Returns true if another unit may be sent now. */
function maySend(): boolean {
  return rate === 0 || sent < ((performance.now() - beganMs) * rate) / 1_000;
}

function note({ code }: Status): void {
  const name = codeName(code);
  outcomes[name] = (outcomes[name] ?? 0) + 1;
}

/** Keeps this number of calls open on a connection until it is lost or the time has passed. */
class Connection {
  readonly #client: GrpcClient;
  readonly #begin: (client: GrpcClient, ended: (end: Status) => void) => void;
  #open = 0;

  constructor(client: GrpcClient, begin: (client: GrpcClient, ended: (end: Status) => void) => void) {
    this.#client = client;
    this.#begin = begin;
  }

  fill(): void {
    while (this.#open < OPEN[kind] && this.#client.lost === undefined && !isOver() && maySend()) {
      this.#open += 1;
      this.#begin(this.#client, (end) => {
        this.#open -= 1;
        note(end);
        // A call that is refused at once must not cause a recursion.
        queueMicrotask(() => this.fill());
      });
    }
  }
}

function unary(
  method: ClientMethod<Uint8Array, Buffer>,
  messages: readonly Uint8Array[],
  { isCancelled = false, isCompressed = false } = {},
): (client: GrpcClient, ended: (end: Status) => void) => void {
  return (client, ended) => {
    const listener = { onMessage: () => undefined, onStatus: ended };
    const call = client.call(method, listener, { metadata, ...(isCompressed && { encoding: 'gzip' }) });
    call.send(messages[sent % messages.length]!, isCompressed);
    call.end();
    sent += 1;
    if (isCancelled) setImmediate(() => call.cancel());
  };
}

function stream(messages: readonly Uint8Array[]): (client: GrpcClient, ended: (end: Status) => void) => void {
  return (client, ended) => {
    let open = 0;
    const timer = setInterval(() => fill(), 5);
    const onMessage = (): void => {
      open -= 1;
      if (isOver()) call.cancel();
      else fill();
    };
    const onStatus = (end: Status): void => {
      clearInterval(timer);
      ended(end);
    };
    const call = client.call(REASON_STREAM, { onMessage, onStatus }, { metadata });
    const fill = (): void => {
      while (open < STREAM_WINDOW && !call.isOver && maySend()) {
        open += 1;
        sent += 1;
        call.send(messages[sent % messages.length]!);
      }
    };
    fill();
  };
}

function beginner(): (client: GrpcClient, ended: (end: Status) => void) => void {
  if (kind === 'items') return unary(REASON_BATCH, [emptyItems()]);
  if (kind === 'bytes') return unary(REASON_BATCH, [fullBatch()]);
  if (kind === 'gzip') return unary(REASON, [longInput()], { isCompressed: true });
  if (kind === 'streams') return stream(streamRequests());
  return unary(REASON, goodRequests(), { isCancelled: kind === 'cancels' });
}

async function keepFlooding(begin: ReturnType<typeof beginner>): Promise<void> {
  while (!isOver()) {
    const client = await GrpcClient.connect(values.address).catch(() => undefined);
    if (client !== undefined) {
      const { promise: closed, resolve } = Promise.withResolvers<undefined>();
      client.onLost = () => resolve(undefined);
      const connection = new Connection(client, begin);
      connection.fill();
      const timer = setInterval(() => connection.fill(), 2);
      const end = setTimeout(() => client.close(), endMs - performance.now());
      await closed;
      clearTimeout(end);
      clearInterval(timer);
    }
    if (isOver()) return;
    lost += 1;
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

const begin = beginner();
await Promise.all(Array.from({ length: CONNECTIONS }, () => keepFlooding(begin)));
const flooded: Flooded = { sent, perS: sent / ((performance.now() - beganMs) / 1_000), outcomes, lost };
process.stdout.write(`${JSON.stringify(flooded)}\n`);
process.exit(0);
