// The methods of gRPC reflection. The package behind them is loaded at the first call: it takes 15 MB and is rarely
// used.
import type { CallerAccount } from '../auth/caller-account.ts';
import { RouterError } from '../core/errors.ts';
import type { CallListener, IncomingCall, Method } from '../grpc/method.ts';
import { status } from '../grpc/status.ts';
import type { PackageCall, ReflectionMethod } from './reflection.ts';
import { toStatus } from './status.ts';

const PATHS = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`);

type Load = () => Promise<ReadonlyMap<string, ReflectionMethod>>;

export function reflectionMethods(): Method[] {
  let loading: ReturnType<Load> | undefined;
  const load: Load = () => (loading ??= import('./reflection.ts').then(({ loadReflection }) => loadReflection()));
  return PATHS.map((path) => ({
    ...{ path, requestStream: true, responseStream: true },
    decode: (bytes: Buffer) => bytes,
    encode: (bytes: Buffer) => bytes,
    handle: (call: IncomingCall) => void answer(path, call, load),
  }));
}

async function answer(path: string, call: IncomingCall, load: Load): Promise<void> {
  const input = new HeldInput();
  call.listener = input;
  call.pause();
  let method: ReflectionMethod;
  try {
    method = (await load()).get(path)!;
  } catch (error) {
    call.fail(status('INTERNAL', `reflection cannot be loaded (${(error as Error).message}); run "npm run generate"`));
    return;
  }
  const { decode, encode, handle } = method;
  const read = (bytes: Buffer): unknown => {
    try {
      return decode(bytes);
    } catch (error) {
      call.fail(status('INTERNAL', `the request cannot be decoded (${(error as Error).message})`));
      return undefined;
    }
  };
  const ears: Partial<Record<'data' | 'end', (message?: unknown) => void>> = {};
  const packageCall: PackageCall = {
    on: (event, listen) => void (ears[event] = listen),
    // Answers are larger than requests: no more requests are read from a caller that does not read its answers.
    write: (response) => {
      if (!call.send(encode(response as never))) call.pause();
    },
    end: () => call.end(),
  };
  handle(packageCall);
  input.release({
    onMessage: (bytes) => {
      const refusal = charge(call);
      if (refusal !== undefined) {
        call.fail(toStatus(refusal));
        return;
      }
      const message = read(bytes);
      if (message !== undefined) ears.data?.(message);
    },
    onEnd: () => ears.end?.(),
    onDrain: () => call.resume(),
  });
  call.resume();
}

/** Charges one request to the caller. Returns the error if a limit is exceeded. */
function charge({ owner }: IncomingCall): RouterError | undefined {
  try {
    (owner as CallerAccount | undefined)?.enter(1, false);
    (owner as CallerAccount | undefined)?.left(1);
    return undefined;
  } catch (thrown) {
    return RouterError.from(thrown);
  }
}

/** Buffers messages until there is a listener. */
class HeldInput implements CallListener<Buffer> {
  readonly #messages: Buffer[] = [];
  #isEnded = false;
  #listener: Required<Omit<CallListener<Buffer>, 'onCut'>> | undefined;

  onMessage(bytes: Buffer): void {
    if (this.#listener === undefined) this.#messages.push(bytes);
    else this.#listener.onMessage(bytes);
  }

  onEnd(): void {
    if (this.#listener === undefined) this.#isEnded = true;
    else this.#listener.onEnd();
  }

  onDrain(): void {
    this.#listener?.onDrain();
  }

  release(listener: Required<Omit<CallListener<Buffer>, 'onCut'>>): void {
    this.#listener = listener;
    for (const bytes of this.#messages) listener.onMessage(bytes);
    if (this.#isEnded) listener.onEnd();
  }
}
