// Reads the query of a list of traces.
import { Refused } from './reply.ts';
import { TRACE_KINDS, type TraceFilterView } from './sources.ts';

const ID = /^[0-9a-f]{0,32}$/;
const MAX_MODEL_CHARS = 200;

/** Throws Refused if the query is invalid. */
export function toTraceFilter(query: URLSearchParams, limit: number): TraceFilterView {
  const kind = TRACE_KINDS.find((each) => each === query.get('kind')?.toUpperCase());
  if (query.has('kind') && kind === undefined) refuse(`kind must be one of ${TRACE_KINDS.join(', ').toLowerCase()}`);
  const id = query.get('id') ?? '';
  if (!ID.test(id)) refuse('id must be the beginning of a trace id: up to 32 lower-case hexadecimal digits');
  const model = query.get('model') ?? '';
  if (model.length > MAX_MODEL_CHARS) refuse(`model may have ${MAX_MODEL_CHARS} characters`);
  return {
    ...{ limit, kind, id, model, onlyErrors: query.get('errors') === 'true' },
    minMs: toNumber(query, 'min_ms'),
    before: toNumber(query, 'before'),
  };
}

function toNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (text === '' || !(value >= 0)) refuse(`${name} must be a number, 0 or more`);
  return value;
}

function refuse(message: string): never {
  throw new Refused(400, 'INVALID_FIELD', message);
}
