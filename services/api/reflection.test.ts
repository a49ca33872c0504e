import { fromBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { publicServices } from './reflection.ts';

const messages = new Map<string, DescriptorProto>();
for (const { fileDescriptorProtos } of Object.values(publicServices('proto'))) {
  for (const bytes of Array.isArray(fileDescriptorProtos) ? fileDescriptorProtos : []) {
    const { messageType, package: name } = fromBinary(FileDescriptorProtoSchema, bytes);
    for (const message of messageType) messages.set(`${name}.${message.name}`, message);
  }
}

describe('reflection', () => {
  it('names the entries of a map as protoc does, and as strict readers want it', () => {
    const { field, nestedType } = messages.get('tandem.v1.RequestTypeMetrics')!;
    expect(nestedType.map(({ name }) => name)).toEqual(['ErrorsByReasonEntry']);
    expect(field.find(({ name }) => name === 'errors_by_reason')?.typeName).toBe('ErrorsByReasonEntry');
  });

  it('keeps the names of fields as they are in the proto files', () => {
    const { field } = messages.get('tandem.v1.ReasonRequest')!;
    expect(field.map(({ name }) => name)).toContain('model_version');
  });
});
