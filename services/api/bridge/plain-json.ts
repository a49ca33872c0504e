// Converts a message to JSON for programs without protobuf: keys as in the proto files, 64-bit counts as numbers.
import { snakeKey } from '../snake-case.ts';

interface MessageType<T> {
  decode(bytes: Uint8Array): T;
  toJSON(message: T): unknown;
}

/** `bytes`: of the message. Fields with their default value are left out, as in protobuf's JSON. */
export function plainJson<T>(type: MessageType<T>, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const message = type.decode(bytes);
  return plain(type.toJSON(message), message) as Readonly<Record<string, unknown>>;
}

/** `message`: the source of `json`. */
function plain(json: unknown, message: unknown): unknown {
  if (typeof message === 'bigint') return Number(message);
  if (Array.isArray(json)) return json.map((each, index) => plain(each, (message as unknown[])[index]));
  if (typeof json !== 'object' || json === null) return json;
  const fields = message as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [snakeKey(key), plain(value, fields[key])]));
}
