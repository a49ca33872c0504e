import { loadSync } from '@grpc/proto-loader';
import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { RouterError } from '../core/errors.ts';
import { ReasonBatchRequest, ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { engineAdminService } from './engines.ts';
import { eventService } from './events.ts';
import type { Rpc } from './methods.ts';
import { metricsService } from './metrics.ts';
import { modelService } from './models.ts';
import { reasoningService } from './reasoning.ts';
import { checkReason } from './request-limits.ts';

const MANY = 100_000;
const MAX_ITEMS = 1_024;

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly typeName: string;
}

interface Message {
  readonly field: readonly Field[];
  readonly nestedType: readonly (Message & { readonly name: string })[];
}

const SERVICES = {
  ReasoningService: reasoningService({ maxBatchItems: MAX_ITEMS }),
  ModelService: modelService,
  EngineAdminService: engineAdminService,
  MetricsService: metricsService,
  EventService: eventService,
};
const FILES = ['reasoning', 'models', 'engines', 'metrics', 'events'].map((name) => `tandem/v1/${name}.proto`);
const definition = loadSync(FILES, { includeDirs: [join(import.meta.dirname, '../../proto')] });
/** Each request inside is decoded alone, with the limits of Reason. */
const OPAQUE = ['ReasonBatchRequest.requests', 'ReasonStreamRequest.request'];

function messageOf(name: string): Message {
  return (definition[`tandem.v1.${name}`] as unknown as { type: Message }).type;
}

/** Repeats the field as often as a hostile caller would; each takes two bytes. */
function bomb({ number }: Pick<Field, 'number'>): Buffer {
  const tag = (number << 3) | 2;
  return Buffer.alloc(MANY * 2, Buffer.from([tag, 0]));
}

function inside({ number }: Pick<Field, 'number'>, bytes: Buffer): Buffer {
  const length = [(bytes.length & 127) | 128, ((bytes.length >> 7) & 127) | 128, bytes.length >> 14];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

/** Returns each field of a message, and of the messages within it. */
function bombsOf(name: string, message: Message): [string, Buffer][] {
  return message.field.flatMap((field) => {
    const path = `${name}.${field.name}`;
    const own: [string, Buffer] = [path, bomb(field)];
    if (field.type !== 'TYPE_MESSAGE' || OPAQUE.includes(path)) return [own];
    const type = field.typeName.split('.').at(-1)!;
    const within = message.nestedType.find((each) => each.name === type) ?? messageOf(type);
    return [own, ...bombsOf(path, within).map(([inner, bytes]): [string, Buffer] => [inner, inside(field, bytes)])];
  });
}

const METHODS = Object.entries(SERVICES).flatMap(([service, methods]) =>
  Object.values(methods).map((method): [string, string, Rpc] => {
    const name = method.path.split('/').at(-1)!;
    return [`${service}.${name}`, `${name}Request`, method];
  }),
);
const BOMBS = METHODS.flatMap(([path, request, method]) =>
  bombsOf(request, messageOf(request)).map(([field, bytes]) => ({ path, field, bytes, method })),
);

describe('a request that repeats one field', () => {
  it.each(BOMBS)('is refused before decoding: $path, $field', ({ bytes, method }) => {
    const refused = method.requestDeserialize(bytes);
    expect(refused).toBeInstanceOf(RouterError);
    expect((refused as RouterError).message).toMatch(/^the request has (more than|too many)|^more than 1024 requests/);
  });

  it.each(METHODS)('is refused if the field is unknown: %s', (_path, _request, method) => {
    expect(method.requestDeserialize(bomb({ number: 15 }))).toBeInstanceOf(RouterError);
  });

  it.each(bombsOf('ReasonRequest', messageOf('ReasonRequest')))('is refused as an item: %s', (_, bytes) => {
    expect(() => checkReason(bytes)).toThrow(/^(more than|too many)/);
  });
});

describe('decoding a batch', () => {
  const decode = (items: number): unknown => {
    const requests = Array.from({ length: items }, () => ReasonRequest.fromPartial({}));
    const bytes = Buffer.from(ReasonBatchRequest.encode({ requests }).finish());
    return SERVICES.ReasoningService['reasonBatch'].requestDeserialize(bytes);
  };

  it('accepts the maximum number of items', () => {
    expect(decode(MAX_ITEMS)).toMatchObject({ requests: { length: MAX_ITEMS } });
  });

  it('refuses one item more', () => {
    expect(decode(MAX_ITEMS + 1)).toMatchObject({ kind: 'BATCH_TOO_LARGE', violation: { field: 'requests' } });
  });
});

describe('the numbers of a request', () => {
  const runs = (number: number, count: number): Buffer => bomb({ number }).subarray(0, 2 * count);

  it.each([
    ['encoding', (count: number) => runs(4, count)],
    ...['t_us', 'x', 'y', 'polarity'].map(
      (name, index) => [`events.${name}`, (count: number) => inside({ number: 11 }, runs(index + 1, count))] as const,
    ),
  ])('may come in 65,536 pieces, and no more: %s', (name, pieces) => {
    expect(() => checkReason(pieces(65_536))).not.toThrow();
    expect(() => checkReason(pieces(65_537))).toThrow(`more than 65536 ${name}`);
  });
});
