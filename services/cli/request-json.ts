// A whole request as JSON: ReasonRequest in protobuf's JSON form, with names such as "modelVersion" or "model_version".
import { Events, ReasonRequest, Session, Tensor, VotePolicy } from '../generated/tandem/v1/reasoning.ts';
import { CacheMode, Detail, Strategy } from '../generated/tandem/v1/types.ts';
import { UsageError } from './usage-error.ts';

const INPUTS = ['encoding', 'tensor', 'text', 'events'] as const;
const NESTED: Readonly<Record<string, object>> = {
  tensor: Tensor.create(),
  events: Events.create(),
  session: Session.create(),
  vote: VotePolicy.create(),
};
const ENUMS = { strategy: Strategy, cache: CacheMode, detail: Detail } as const;

export function isRequestJson(text: string): boolean {
  return text.trimStart().startsWith('{');
}

/** The request in the JSON, merged over `base`. Throws UsageError, which names the invalid key. */
export function parseRequest(text: string, base: ReasonRequest): ReasonRequest {
  const json = withCamelKeys(parseObject(text), ReasonRequest.create(), '');
  for (const [name, fields] of Object.entries(NESTED)) {
    if (json[name] !== undefined) json[name] = withCamelKeys(objectAt(json[name], name), fields, `${name}.`);
  }
  const given = INPUTS.filter((name) => json[name] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'has none' : `has ${given.join(' and ')}`;
    throw new UsageError(`the request ${found} of encoding, tensor, text and events; give exactly one`);
  }
  const read = readRequest(json);
  for (const name of Object.keys(ENUMS) as (keyof typeof ENUMS)[]) {
    if (read[name] >= 0) continue;
    const names = Object.keys(ENUMS[name]).filter((each) => each.includes('_'));
    throw new UsageError(`"${name}" is ${JSON.stringify(json[name])}; it must be one of ${names.join(', ')}`);
  }
  const keys = Object.keys(json) as (keyof ReasonRequest)[];
  return { ...base, ...Object.fromEntries(keys.map((key) => [key, read[key]])) };
}

function readRequest(json: Record<string, unknown>): ReasonRequest {
  try {
    const list = json['encoding'];
    if (list !== undefined && !Array.isArray(list)) throw new Error('"encoding" must be a list of numbers');
    const bad = Array.isArray(list) ? list.findIndex((value) => !isNumber(value)) : -1;
    if (bad >= 0) throw new Error(`element ${bad} of "encoding" is not a number`);
    return ReasonRequest.fromJSON(json);
  } catch (error) {
    throw new UsageError(`the request cannot be read: ${(error as Error).message}`);
  }
}

/** In protobuf's JSON, NaN and infinities are strings. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number' || value === 'NaN' || value === 'Infinity' || value === '-Infinity';
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`the input is not JSON: ${(error as Error).message}`);
  }
}

function objectAt(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UsageError(`"${name}" must be an object`);
}

/** `fields`: a message of the type, which has all known keys. */
function withCamelKeys(json: Record<string, unknown>, fields: object, path: string): Record<string, unknown> {
  const known = Object.keys(fields);
  const entries = Object.entries(json).map(([key, value]) => {
    const camel = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (known.includes(camel)) return [camel, value] as const;
    throw new UsageError(`"${path}${key}" is no field of the request; there are: ${known.map(snake).join(', ')}`);
  });
  return Object.fromEntries(entries);
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
