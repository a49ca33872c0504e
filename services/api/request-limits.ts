// Limits on each request of the public API, counted before decoding. They bound work and memory. They are above the
// handler's own limits, so that a caller slightly over gets the handler's more precise error.
import { RouterError } from '../core/errors.ts';
import { BeyondLimit, FieldLimit, MessageLimits, scan } from '../core/wire-scan.ts';

/** Packed runs, or single unpacked numbers: a client should pack them or send a tensor. */
const MAX_ENCODING_PARTS = 65_536;
const MAX_DIMENSIONS = 64;
const MAX_TOPICS = 128;
const MAX_EVENT_ENTRIES = 64;
const MAX_TEACHERS = 64;
const MAX_LABELS = 8_192;

/** One field: a long text takes no more memory decoded than in the message, whose size is limited. */
const one = (field: string): FieldLimit => new FieldLimit({ name: field });

/** Throws if a message exceeds its limits or is malformed. */
export type Check = (bytes: Uint8Array) => void;

const within = (limits: MessageLimits): Check => {
  return (bytes) => scan(bytes, limits);
};

const NUMBERS = new MessageLimits({});

const TENSOR = new MessageLimits({
  1: { name: 'tensor.shape', numbers: MAX_DIMENSIONS },
  2: one('tensor.dtype'),
  3: one('tensor.data'),
});

const EVENTS = new MessageLimits({
  1: { name: 'events.t_us', times: MAX_ENCODING_PARTS },
  2: { name: 'events.x', times: MAX_ENCODING_PARTS },
  3: { name: 'events.y', times: MAX_ENCODING_PARTS },
  4: { name: 'events.polarity', times: MAX_ENCODING_PARTS },
});

/** A request without a field that can grow. */
export const checkPlain = within(NUMBERS);

const SESSION = new MessageLimits({ 1: one('session.id'), 2: one('session.state') });

const REASON_FIELDS = {
  1: one('request_id'),
  2: one('model'),
  4: { name: 'encoding', times: MAX_ENCODING_PARTS },
  5: { name: 'tensor', within: TENSOR },
  8: { name: 'vote', within: NUMBERS },
  10: one('text'),
  11: { name: 'events', within: EVENTS },
};

/** A ReasonRequest, also as an item of a batch or a stream. */
export const checkReason = within(new MessageLimits({ ...REASON_FIELDS, 12: { name: 'session', within: SESSION } }));

export const checkCoordinate = within(
  new MessageLimits({ ...REASON_FIELDS, 2: { name: 'teachers', times: MAX_TEACHERS }, 30: one('student') }),
);

const LEARN_START = new MessageLimits({
  1: one('student'),
  2: { name: 'teachers', times: MAX_TEACHERS },
  3: one('base'),
  4: { name: 'labels', times: MAX_LABELS },
});
/** The example inside is checked later, when it is processed. */
export const checkLearn = within(new MessageLimits({ 1: { name: 'start', within: LEARN_START }, 2: one('example') }));
export const checkLearnExample = within(
  new MessageLimits({ ...REASON_FIELDS, 1: one('label'), 2: { name: 'model', times: 0 } }),
);
export const checkStudent = within(new MessageLimits({ 1: one('student') }));
export const checkOperation = within(new MessageLimits({ 1: one('id') }));

/** The request inside is checked later, when it is processed. */
export const checkReasonStream = within(new MessageLimits({ 1: one('request') }));

const batchItems = new FieldLimit({ name: 'requests' });
const BATCH = new MessageLimits({ 1: batchItems });

/** Throws BATCH_TOO_LARGE. The items are checked later, when they are processed. */
export function checkBatch(bytes: Uint8Array, maxItems: number): void {
  batchItems.times = maxItems;
  try {
    scan(bytes, BATCH);
  } catch (thrown) {
    if (!(thrown instanceof BeyondLimit && thrown.limit === batchItems)) throw thrown;
    throw tooManyItems(maxItems);
  }
}

export function tooManyItems(maxItems: number): RouterError {
  const message = `more than ${maxItems} requests in one batch; send several batches, or see setting max_batch_items`;
  return new RouterError('BATCH_TOO_LARGE', message, { field: 'requests' });
}

export const checkListSessions = within(new MessageLimits({ 2: one('page_token') }));
export const checkEndSession = within(new MessageLimits({ 1: one('id'), 2: one('caller') }));

export const checkGetModel = within(new MessageLimits({ 1: one('model') }));

export const checkLoadModel = within(
  new MessageLimits({ 1: one('name'), 3: one('nir'), 4: one('manifest'), 5: one('labels'), 6: one('golden') }),
);
export const checkUnloadModel = within(new MessageLimits({ 1: one('name') }));

export const checkEngineId = within(new MessageLimits({ 1: one('engine_id') }));
export const checkRegister = within(new MessageLimits({ 1: one('engine_id'), 2: one('address') }));
export const checkReplay = within(new MessageLimits({ 1: one('model'), 3: { name: 'tensor', within: TENSOR } }));

export const checkSubscribe = within(
  new MessageLimits({ 1: { name: 'topics', times: MAX_TOPICS }, 3: one('instance') }),
);

export const checkQuery = within(new MessageLimits({ 1: one('query'), 2: one('corpus'), 4: one('label') }));
export const checkIndexCorpus = within(new MessageLimits({ 1: one('corpus') }));
export const checkGoal = within(new MessageLimits({ 1: one('goal') }));
export const checkTask = within(new MessageLimits({ 1: one('task') }));

const EVENT_ENTRY = new MessageLimits({ 1: one('data'), 2: one('data') });
export const checkPublish = within(
  new MessageLimits({
    1: one('topic'),
    3: one('text'),
    4: { name: 'data', times: MAX_EVENT_ENTRIES, within: EVENT_ENTRY },
    5: one('payload'),
  }),
);
