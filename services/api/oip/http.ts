// The Open Inference Protocol's REST form: /v2/… on the HTTP port.
import type { CallerAccount } from '../../auth/caller-account.ts';
import type { CancelSignal } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-version.ts';
import { type DataType, dataTypeToJSON } from '../../generated/inference/grpc_service.ts';
import { Metadata } from '../../grpc/metadata.ts';
import { codeName } from '../../grpc/status.ts';
import { snakeKey } from '../snake-case.ts';
import { toStatus } from '../status.ts';
import { UnaryContext } from '../unary.ts';
import { stringify, writeInfer } from './http-json.ts';
import { JsonParser } from './json-parser.ts';
import { EXTENSIONS, type OipParts } from './methods.ts';

interface HttpCall {
  readonly method: string;
  /** Begins with "/v2". Percent-encoded, as received. */
  readonly path: string;
  /** Value of header Inference-Header-Content-Length; NaN: missing. */
  readonly headerBytes: number;
  readonly deadlineMs: number;
  readonly signal: CancelSignal;
  /** The caller: a CallerAccount. */
  readonly owner?: object | undefined;
  /** The whole body. */
  readonly body: () => Promise<Buffer>;
}

export interface HttpAnswer {
  /** Name of a gRPC status. */
  readonly code: string;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

interface HttpParts extends Omit<OipParts, 'publisher'> {
  readonly isReady: () => boolean;
  readonly maxItems: () => number;
}

const JSON_TYPE = 'application/json';
const MODEL = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(ready|config|stats|infer))?$/;

/** Answers one HTTP call. Never rejects. Undefined: no such path, or not with this method. */
export function oipHttp(parts: HttpParts): (call: HttpCall) => Promise<HttpAnswer | undefined> {
  const parser = new JsonParser();
  return async (call) => {
    try {
      return await answer(call, parts, parser);
    } catch (thrown) {
      const error = RouterError.from(thrown);
      const { code } = toStatus(error);
      const field = error.violation?.field;
      return json({ error: error.message, reason: error.kind, ...(field ? { field } : {}) }, codeName(code));
    }
  };
}

async function answer(call: HttpCall, parts: HttpParts, parser: JsonParser): Promise<HttpAnswer | undefined> {
  const { method, path } = call;
  const { catalogue, statistics } = parts;
  if (method === 'POST' && path === '/v2/repository/index') return json(catalogue.index(false).models);
  const [, encoded = '', encodedVersion = '', what = ''] = MODEL.exec(path) ?? [];
  const name = decoded(encoded);
  const version = decoded(encodedVersion);
  if (method === 'POST') return what === 'infer' ? await infer(call, parts, parser, name, version) : undefined;
  if (method !== 'GET') return undefined;
  if (path === '/v2' || path === '/v2/')
    return json({ name: 'tandem', version: packageVersion(), extensions: EXTENSIONS });
  if (path === '/v2/health/live') return json({ live: true });
  if (path === '/v2/health/ready') return json({ ready: parts.isReady() }, parts.isReady() ? 'OK' : 'UNAVAILABLE');
  if (path === '/v2/models/stats') {
    return json({ model_stats: catalogue.versions.map((each) => snakeCase(statistics.read(each.name, each.version))) });
  }
  if (encoded === '') return undefined;
  if (what === 'ready') {
    const ready = catalogue.isReady(name, version);
    return json({ name, ready }, ready ? 'OK' : 'UNAVAILABLE');
  }
  if (what === '') return json(snakeCase(catalogue.metadata(name, version)));
  if (what === 'config') return json(snakeCase(catalogue.config(name, version, parts.maxItems())));
  if (what !== 'stats') return undefined;
  const found = catalogue.find(name, version);
  return json({ model_stats: [snakeCase(statistics.read(found.name, found.version))] });
}

async function infer(
  call: HttpCall,
  parts: HttpParts,
  parser: JsonParser,
  name: string,
  version: string,
): Promise<HttpAnswer> {
  const { headerBytes, owner } = call;
  const body = { body: await call.body(), headerBytes, name, version };
  const { request, binaryOutputs } = await parser.parse(body, owner, call);
  const context = new UnaryContext(
    { startedMs: performance.now(), metadata: new Metadata(), owner: owner as CallerAccount | undefined },
    call.deadlineMs,
    undefined,
  );
  const leave = (): void => context.abort(new RouterError('CANCELLED', 'the caller cancelled the request'));
  call.signal.addEventListener('abort', leave, { once: true });
  const response = await parts.infer(request, context, 'LISTS');
  call.signal.removeEventListener('abort', leave);
  const { json: text, binary } = writeInfer(response, binaryOutputs);
  if (binary.length === 0) return { code: 'OK', type: JSON_TYPE, body: text, headers: {} };
  const header = Buffer.from(text);
  const headers = { 'Inference-Header-Content-Length': String(header.length) };
  return { code: 'OK', type: 'application/octet-stream', body: Buffer.concat([header, ...binary]), headers };
}

/** Messages as JSON: keys as in the proto files, enum values by name, numbers as numbers. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      snakeKey(key),
      key === 'dataType' ? dataTypeToJSON(each as DataType) : snakeCase(each),
    ]),
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function json(value: unknown, code = 'OK'): HttpAnswer {
  return { code, type: JSON_TYPE, body: stringify(value), headers: {} };
}
