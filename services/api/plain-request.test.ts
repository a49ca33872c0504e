// The reader of usual requests must read what the generated decoder reads, or leave the request to it.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import { readPlainRequest } from './plain-request.ts';
import { decodeReasonRequest, readReasonRequest } from './reason-messages.ts';

const plain = fc.record({
  requestId: fc.oneof(fc.constant(''), fc.string({ maxLength: 130, unit: 'grapheme-ascii' })),
  model: fc.constantFrom('', 'supersense', 'digits', 'a'.repeat(127)),
  modelVersion: fc.nat(1e6),
  strategy: fc.nat(9),
  cache: fc.nat(4),
  detail: fc.nat(200),
  tensor: fc.record({
    shape: fc.array(fc.nat(1e6), { maxLength: 16 }),
    dtype: fc.constantFrom('', 'FP32', 'FP16'),
    data: fc.uint8Array({ maxLength: 300 }),
  }),
});

const encode = (request: object): Buffer =>
  Buffer.from(ReasonRequest.encode(ReasonRequest.fromPartial(request)).finish());

/** As the generated decoder reads it, with plain bytes for the comparison. */
function expected(bytes: Buffer): unknown {
  return plainBytes(ReasonRequestWire.decode(bytes));
}

function plainBytes(wire: ReasonRequestWire | undefined): unknown {
  return JSON.parse(JSON.stringify(wire, (_, value: unknown) => (value instanceof Uint8Array ? [...value] : value)));
}

describe('readPlainRequest', () => {
  it('reads a tensor with any plain fields like the generated decoder', () => {
    fc.assert(
      fc.property(plain, (request) => {
        const bytes = encode(request);
        const read = readPlainRequest(bytes);
        if (request.requestId.length > 127) expect(read).toBeUndefined();
        else expect(plainBytes(read)).toEqual(expected(bytes));
      }),
    );
  });

  it('reads packed numbers like the generated decoder', () => {
    const floats = fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(floats, (encoding) => {
        const bytes = encode({ encoding, model: 'digits' });
        expect(plainBytes(readPlainRequest(bytes))).toEqual(expected(bytes));
      }),
    );
  });

  it('reads fields in any order', () => {
    const [model, tensor] = [encode({ model: 'digits' }), encode({ tensor: { shape: [2], data: Buffer.alloc(8) } })];
    for (const bytes of [Buffer.concat([model, tensor]), Buffer.concat([tensor, model])]) {
      expect(plainBytes(readPlainRequest(bytes))).toEqual(expected(bytes));
    }
  });

  it('gives each request its own texts', () => {
    const read = ['digits', 'speech', 'digits', 'speech-2', ''].map((model) =>
      readPlainRequest(encode({ model, requestId: `of ${model}`, encoding: [1] })),
    );
    expect(read.map((wire) => [wire?.model, wire?.requestId])).toEqual([
      ['digits', 'of digits'],
      ['speech', 'of speech'],
      ['digits', 'of digits'],
      ['speech-2', 'of speech-2'],
      ['', 'of '],
    ]);
  });

  it('passes on the bytes without a copy', () => {
    const bytes = encode({ tensor: { shape: [2], data: Buffer.alloc(8) } });
    expect(readPlainRequest(bytes)?.tensor?.data.buffer).toBe(bytes.buffer);
  });

  const tensor = encode({ tensor: { shape: [2], dtype: 'FP32', data: Buffer.alloc(8, 1) } });
  const numbers = encode({ encoding: [1, 2] });
  const inTensor = (...fields: number[]): Buffer => Buffer.from([0x2a, fields.length, ...fields]);

  it.each<[string, Buffer]>([
    ['no input', encode({ model: 'digits' })],
    ['nothing', Buffer.alloc(0)],
    ['a text', encode({ text: 'hello' })],
    ['a vote', encode({ encoding: [1], vote: { participants: 3 } })],
    ['events', encode({ events: { tUs: [1], x: [1], y: [1], polarity: [true] } })],
    ['a session', encode({ encoding: [1], session: { id: 's' } })],
    ['two tensors', Buffer.concat([tensor, tensor])],
    ['numbers in two parts', Buffer.concat([numbers, numbers])],
    ['unpacked numbers', Buffer.from([0x25, 0, 0, 0x80, 0x3f])],
    ['a field that is not known', Buffer.concat([numbers, Buffer.from([0x68, 1])])],
    ['a field with a long tag', Buffer.concat([numbers, Buffer.from([0x80, 0x01, 1])])],
    ['field 0', Buffer.concat([numbers, Buffer.from([0x00, 1])])],
    ['a known field of another wire type', Buffer.concat([numbers, Buffer.from([0x10, 1])])],
    ['a negative number', Buffer.concat([numbers, encode({ strategy: -1 })])],
    ['a model that is not ASCII', encode({ model: 'größe', encoding: [1] })],
    ['a long model', encode({ model: 'a'.repeat(128), encoding: [1] })],
    ['a dtype that is not ASCII', encode({ tensor: { shape: [2], dtype: 'é', data: Buffer.alloc(8) } })],
    ['17 dimensions', encode({ tensor: { shape: Array<number>(17).fill(1), data: Buffer.alloc(4) } })],
    ['an unpacked shape', inTensor(0x08, 2)],
    ['two shapes', inTensor(0x0a, 1, 2, 0x0a, 1, 2)],
    ['a field of the tensor that is not known', inTensor(0x22, 0)],
    ['a field beyond the end of its tensor', Buffer.from([0x2a, 2, 0x1a, 4, 1, 2, 3, 4])],
    ['a shape beyond its end', inTensor(0x0a, 1, 0x80, 0x01)],
    ['a tensor that ends after a tag', inTensor(0x1a)],
    ['a tensor that ends late', Buffer.from([0x2a, 4, 0x1a, 0])],
    ['a number that does not end', Buffer.concat([numbers, Buffer.from([0x18, 0x80])])],
    ['a text that does not end', Buffer.concat([numbers, Buffer.from([0x12, 5, 0x61])])],
  ])('leaves to the decoder: %s', (_, bytes) => {
    expect(readPlainRequest(bytes)).toBeUndefined();
  });

  it('reads or leaves every cut and changed request, and never reads it differently', () => {
    const one = encode({ requestId: 'r', model: 'digits', cache: 2, tensor: { shape: [2], data: Buffer.alloc(8, 9) } });
    const change = fc.record({
      at: fc.nat(one.length - 1),
      to: fc.nat(255),
      length: fc.integer({ min: 0, max: one.length }),
    });
    fc.assert(
      fc.property(change, ({ at, to, length }) => {
        const bytes = Buffer.from(one.subarray(0, length));
        if (at < length) bytes[at] = to;
        const read = readPlainRequest(bytes);
        if (read !== undefined) expect(plainBytes(read)).toEqual(expected(bytes));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('readReasonRequest', () => {
  it('checks what the generated decoder reads', () => {
    const parts = Buffer.concat(Array<Buffer>(65_537).fill(encode({ encoding: [1] })));
    expect(() => readReasonRequest(parts)).toThrow('more than 65536 encoding');
  });

  it('reads other requests as the generated decoder does', () => {
    const bytes = encode({ text: 'hello', model: 'words' });
    expect(readReasonRequest(bytes)).toEqual(decodeReasonRequest(bytes));
  });
});
