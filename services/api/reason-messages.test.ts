import { describe, expect, it } from '@jest/globals';
import { thrownBy } from '../../test/fakes/call-method.ts';
import { RouterError } from '../core/errors.ts';
import { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import { CacheMode, Detail, Strategy } from '../generated/tandem/v1/types.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import { decodeReasonRequest, fromLayer, toQuestion, toReasonError } from './reason-messages.ts';

type Request = Parameters<typeof ReasonRequest.fromPartial>[0];

const DATA = Buffer.from(new Float32Array([1, 2]).buffer);
const TENSOR = { shape: [2], dtype: 'FP32', data: DATA };
const EVENTS = { tUs: [5n], x: [1], y: [2], polarity: [true], steps: 4 };
const SESSION = { id: 's', state: Buffer.from([9]), returnState: true, close: false, expectedStep: 3 };

function read(request: Request, caller?: () => string): ReasonQuestion {
  const bytes = Buffer.from(ReasonRequest.encode(ReasonRequest.fromPartial(request)).finish());
  return toQuestion(decodeReasonRequest(bytes), caller);
}

const refusalOf = (request: Request): RouterError | undefined => thrownBy(() => read(request, () => 'ann'));

describe('toQuestion', () => {
  it('returns every field of the request', () => {
    const request = {
      ...{ model: 'm', modelVersion: 2, tensor: TENSOR, strategy: Strategy.STRATEGY_REDUNDANT },
      ...{ cache: CacheMode.CACHE_MODE_REFRESH, detail: Detail.DETAIL_RASTER, vote: { participants: 3 } },
    };
    expect(read({ ...request, session: SESSION }, () => 'ann')).toEqual({
      ...{ model: 'm', modelVersion: 2, strategy: 'REDUNDANT', cache: 'REFRESH', detail: 'RASTER' },
      ...{ input: { field: 'tensor', ...TENSOR }, vote: { participants: 3 } },
      session: { caller: 'ann', ...SESSION },
    });
  });

  it('has the defaults if only an encoding is set', () => {
    expect(read({ encoding: [1, 2] })).toEqual({
      ...{ model: '', modelVersion: 0, strategy: undefined, cache: 'USE', detail: 'SUMMARY', vote: undefined },
      ...{ input: { field: 'encoding', shape: [2], dtype: 'FP32', data: DATA }, session: undefined },
    });
  });

  it('has an empty encoding if there is no input', () => {
    expect(read({}).input).toEqual({ field: 'encoding', shape: [0], dtype: 'FP32', data: Buffer.alloc(0) });
  });

  it('keeps a text beside an empty input', () => {
    expect(read({ text: 'hello' })).toMatchObject({ text: 'hello', input: { field: 'encoding', shape: [0] } });
    expect(read({ encoding: [1] }).text).toBeUndefined();
  });

  it('returns packed events', () => {
    expect(read({ events: { ...EVENTS, startUs: 3n } }).input).toEqual({
      field: 'events',
      events: {
        ...{ times: Buffer.from([5]), x: Buffer.from([1]), y: Buffer.from([2]), polarity: Buffer.from([1]) },
        ...{ startUs: 3, steps: 4 },
      },
    });
    expect(read({ events: EVENTS }).input).toMatchObject({ events: { startUs: undefined } });
  });

  it('joins events that come in several runs', () => {
    const runs = [Buffer.from([5, 6]), Buffer.from([7])];
    const events = { tUs: runs, x: runs, y: runs, polarity: runs, startUs: undefined, steps: 4 };
    const joined = Buffer.from([5, 6, 7]);
    expect(toQuestion({ ...ReasonRequestWire.fromPartial({}), events }).input).toEqual({
      field: 'events',
      events: { times: joined, x: joined, y: joined, polarity: joined, startUs: undefined, steps: 4 },
    });
  });

  it.each<[Request, string, string]>([
    [{ events: EVENTS, tensor: TENSOR }, 'events', 'events and tensor'],
    [{ events: EVENTS, encoding: [1] }, 'events', 'events and encoding'],
    [{ events: EVENTS, text: 'a' }, 'events', 'events and text'],
    [{ text: 'a', encoding: [1] }, 'text', 'text and encoding'],
    [{ text: 'a', tensor: TENSOR }, 'text', 'text and tensor'],
    [{ encoding: [1], tensor: TENSOR }, 'tensor', 'encoding and tensor'],
  ])('refuses two inputs: %#', (request, field, both) => {
    expect(refusalOf(request)).toMatchObject({
      ...{ kind: 'INVALID_FIELD', message: `${both} are both set; send one of them`, violation: { field } },
    });
  });

  it('takes a request id of 128 bytes, and no longer one', () => {
    expect(refusalOf({ requestId: 'é'.repeat(64) })).toBeUndefined();
    expect(refusalOf({ requestId: `${'é'.repeat(64)}x` })).toMatchObject({
      ...{ kind: 'INVALID_FIELD', violation: { field: 'request_id' } },
    });
  });

  it('takes a session id of 1 to 128 bytes', () => {
    const refused = ['', 'x', 'é'.repeat(64), `${'é'.repeat(64)}x`].map((id) => refusalOf({ session: { id } }));
    const one = { kind: 'INVALID_FIELD', violation: { field: 'session.id' } };
    expect(refused).toMatchObject([one, undefined, undefined, one]);
    expect(refused[3]!.message).toBe('session.id has 129 bytes; choose a name of 1 to 128');
  });

  it('refuses a session in a call that takes none', () => {
    expect(thrownBy(() => read({ session: SESSION }))).toMatchObject({
      ...{ kind: 'INVALID_FIELD', violation: { field: 'session' } },
    });
  });
});

describe('decodeReasonRequest', () => {
  it.each<[string, Request]>([
    ['a text', { text: 'a' }],
    ['a tensor', { tensor: TENSOR }],
    ['events', { events: EVENTS }],
    ['nothing', {}],
  ])('adds no numbers to %s', (_, request) => {
    const bytes = ReasonRequest.encode(ReasonRequest.fromPartial(request)).finish();
    expect(Buffer.concat(decodeReasonRequest(bytes).encoding)).toHaveLength(0);
  });
});

it('fromLayer converts the counts of a layer', () => {
  const lists = { spikesPerStep: [1, 2], eventSteps: [0], eventNeurons: [1] };
  const layer = { node: 'lif', neurons: 4, spikes: 3, ...lists, eventsLeftOut: 7 };
  expect(fromLayer(layer)).toEqual({ ...layer, spikes: 3n, eventsLeftOut: 7n });
});

describe('toReasonError', () => {
  it('has the code, the kind, the text and the field of the error', () => {
    expect(toReasonError(new RouterError('INPUT_LENGTH', 'too short', { field: 'encoding' }))).toEqual({
      ...{ code: 3, reason: 'INPUT_LENGTH', message: 'too short', field: 'encoding', retryAfterMs: 0 },
    });
  });

  it('sets the retry time if the input may be sent again', () => {
    const error = new RouterError('ROUTER_FULL', 'full', { retryAfterMs: 10.5 });
    expect(toReasonError(error)).toEqual({
      ...{ code: 8, reason: 'ROUTER_FULL', message: 'full', field: '', retryAfterMs: 11 },
    });
  });

  it('shortens a long message', () => {
    expect(toReasonError(new RouterError('INTERNAL', 'x'.repeat(10_000))).message).toHaveLength(769);
  });
});
