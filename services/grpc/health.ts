// grpc.health.v1.Health: whether the server, or one of its services, accepts requests. The two messages are small
// enough to encode by hand.
import type { CallListener, IncomingCall, Method, OneRequestMethod } from './method.ts';
import { status } from './status.ts';

const SERVICE = '/grpc.health.v1.Health';
const SERVING = 1;
const NOT_SERVING = 2;
/** Sent only to watchers. */
const SERVICE_UNKNOWN = 3;
const MAX_NAME_BYTES = 1_024;

type Serving = typeof SERVING | typeof NOT_SERVING | typeof SERVICE_UNKNOWN;

export class Health {
  readonly #services = new Map<string, Serving>();
  readonly #watchers = new Set<Watcher>();

  /** `services`: known names; "" is the whole server. At first, none serves. */
  constructor(services: readonly string[]) {
    for (const name of services) this.#services.set(name, NOT_SERVING);
  }

  /** Sets the status of all, and notifies watchers. */
  set(isServing: boolean): void {
    for (const name of this.#services.keys()) this.#services.set(name, isServing ? SERVING : NOT_SERVING);
    for (const watcher of this.#watchers) watcher.tell();
  }

  /** Check and Watch. */
  get methods(): Method[] {
    const check: OneRequestMethod<string, Serving> = {
      ...{ path: `${SERVICE}/Check`, requestStream: false, responseStream: false },
      ...{ decode: decodeName, encode: encodeServing },
      handle: (call, name) => {
        const serving = this.#services.get(name);
        if (serving !== undefined) call.answer(serving);
        else call.fail(status('NOT_FOUND', `there is no service ${JSON.stringify(name)} here; "" is the whole server`));
      },
    };
    const watch: OneRequestMethod<string, Serving> = {
      ...{ path: `${SERVICE}/Watch`, requestStream: false, responseStream: true },
      ...{ decode: decodeName, encode: encodeServing },
      handle: (call, name) => {
        const watcher = new Watcher(call, () => this.#services.get(name) ?? SERVICE_UNKNOWN, this.#watchers);
        call.listener = watcher;
        watcher.tell();
      },
    };
    return [check, watch];
  }
}

class Watcher implements CallListener {
  readonly #call: IncomingCall<Serving>;
  readonly #read: () => Serving;
  readonly #all: Set<Watcher>;
  #sent: Serving | undefined;

  constructor(call: IncomingCall<Serving>, read: () => Serving, all: Set<Watcher>) {
    this.#call = call;
    this.#read = read;
    this.#all = all;
    all.add(this);
  }

  /** A slow reader gets only the latest status. */
  tell(): void {
    const serving = this.#read();
    if (this.#call.hasUnsent || serving === this.#sent) return;
    this.#sent = serving;
    this.#call.send(serving);
  }

  onDrain(): void {
    this.tell();
  }

  onCut(): void {
    this.#all.delete(this);
  }
}

/** HealthCheckResponse: `ServingStatus status = 1`. */
function encodeServing(serving: Serving): Uint8Array {
  return Uint8Array.of(0x08, serving);
}

/** HealthCheckRequest: `string service = 1`. Throws if it is malformed. */
function decodeName(bytes: Buffer): string {
  if (bytes.length === 0) return '';
  if (bytes.length > MAX_NAME_BYTES) throw new Error(`it has more than ${MAX_NAME_BYTES} bytes`);
  const isLong = bytes[1]! > 127;
  const length = isLong ? (bytes[1]! & 127) + bytes[2]! * 128 : bytes[1]!;
  const start = isLong ? 3 : 2;
  if (bytes[0] !== 0x0a || bytes.length !== start + length) throw new Error('it is no HealthCheckRequest');
  return bytes.toString('utf8', start);
}
