import { fromBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { publicServices } from './reflection.ts';

const messages = new Map<string, DescriptorProto>();
const services = new Set<string>();
for (const { fileDescriptorProtos } of Object.values(publicServices('proto'))) {
  for (const bytes of Array.isArray(fileDescriptorProtos) ? fileDescriptorProtos : []) {
    const { messageType, service, package: name } = fromBinary(FileDescriptorProtoSchema, bytes);
    for (const each of service) services.add(`${name}.${each.name}`);
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

  it('ends reserved ranges with the number after the last, as strict readers want it', () => {
    const ranges = messages.get('tandem.v1.Metrics')!.reservedRange.map(({ start, end }) => [start, end]);
    expect(ranges).toEqual([
      [16, 17],
      [17, 18],
      [19, 20],
    ]);
  });

  it('has the details of errors, with what they refer to', () => {
    const { field } = messages.get('google.rpc.RetryInfo')!;
    expect(field.map(({ typeName }) => typeName)).toEqual(['.google.protobuf.Duration']);
    expect(messages.has('google.protobuf.Duration')).toBe(true);
    expect(messages.has('google.rpc.ErrorInfo')).toBe(true);
  });

  it('has every service of the proto files', () => {
    const files = readdirSync('proto/tandem/v1').map((name) => readFileSync(`proto/tandem/v1/${name}`, 'utf8'));
    const inFiles = files.flatMap((text) =>
      [...text.matchAll(/^service (\w+)/gm)].map(([, name]) => `tandem.v1.${name}`),
    );
    expect(inFiles.length).toBeGreaterThan(5);
    expect([...services].sort()).toEqual([...inFiles, 'inference.GRPCInferenceService'].sort());
  });
});
