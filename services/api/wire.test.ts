import { describe, expect, it } from '@jest/globals';
import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { join } from 'node:path';
import { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { decodeReasonRequest, toQuestion } from './reason-messages.ts';

interface FieldShape {
  name: string;
  number: number;
  type: string;
  label: string;
  typeName: string;
}

function fields(message: string): FieldShape[] {
  const definition = loadSync(['tandem/v1/learning.proto', 'tandem/wire/v1/wire.proto'], {
    includeDirs: [join(import.meta.dirname, '../../proto')],
  });
  const type = definition[message] as unknown as { type: { field: FieldShape[] } };
  return type.type.field.map(({ name, number, type: kind, label, typeName }) => ({
    name,
    number,
    type: kind,
    label,
    typeName: typeName.split('.').at(-1) ?? '',
  }));
}

describe('ReasonRequestWire', () => {
  it('differs from the public message only in the type of `encoding`', () => {
    const floatsAsBytes = fields('tandem.v1.ReasonRequest').map((field) =>
      field.name === 'encoding' ? { ...field, type: 'TYPE_BYTES' } : field,
    );
    expect(fields('tandem.wire.v1.ReasonRequestWire')).toEqual(floatsAsBytes);
  });

  it('has the fields of a CoordinateRequest, except teachers and student', () => {
    const isOwn = ({ name }: FieldShape): boolean => name === 'teachers' || name === 'student';
    const all = fields('tandem.v1.CoordinateRequest');
    expect(fields('tandem.wire.v1.TeachersWire')).toEqual(all.filter(isOwn));
    const input = all.filter((field) => !isOwn(field));
    expect(fields('tandem.v1.ReasonRequest')).toEqual(expect.arrayContaining(input));
  });

  it('has the fields of a LearnExample, except its label', () => {
    const [label, ...input] = fields('tandem.v1.LearnExample');
    expect(fields('tandem.wire.v1.LabelWire')).toEqual([label]);
    expect(fields('tandem.v1.ReasonRequest')).toEqual(expect.arrayContaining(input));
  });

  it('decodes the same numbers that a client encoded', () => {
    const floats = fc.array(fc.float(), { maxLength: 50 });
    fc.assert(
      fc.property(floats, fc.string(), fc.string(), (encoding, requestId, model) => {
        const bytes = ReasonRequest.encode(ReasonRequest.fromPartial({ encoding, requestId, model })).finish();
        const wire = decodeReasonRequest(Buffer.from(bytes));
        const data = Buffer.concat(wire.encoding);
        const read = Array.from({ length: data.length / 4 }, (_, k) => data.readFloatLE(k * 4));
        expect([read, wire.requestId, wire.model]).toEqual([encoding, requestId, model]);
      }),
    );
  });

  it('decodes numbers sent in several packed runs', () => {
    const half = (values: number[]): Buffer =>
      Buffer.from(ReasonRequest.encode(ReasonRequest.fromPartial({ encoding: values })).finish());
    const wire = decodeReasonRequest(Buffer.concat([half([1, 2]), half([3])]));
    expect(toQuestion(wire).input).toEqual({
      ...{ field: 'encoding', shape: [3], dtype: 'FP32' },
      data: Buffer.from(new Float32Array([1, 2, 3]).buffer),
    });
  });

  it('decodes unpacked numbers, one tag each', () => {
    const unpacked = Buffer.alloc(10);
    [1.5, -2].forEach((value, k) => {
      unpacked.writeUInt8((4 << 3) | 5, k * 5); // field 4, 32-bit
      unpacked.writeFloatLE(value, k * 5 + 1);
    });
    const wire = decodeReasonRequest(unpacked);
    expect(Buffer.concat(wire.encoding)).toEqual(Buffer.from(new Float32Array([1.5, -2]).buffer));
  });
});
