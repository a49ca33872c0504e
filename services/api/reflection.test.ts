import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { publicServices, readDescriptors } from './reflection.ts';

const files = readDescriptors();
const messages = new Map(
  files.flatMap(({ package: name, messageType }) => messageType.map((each) => [`${name}.${each.name}`, each] as const)),
);

describe('reflection', () => {
  it('keeps the field names of the proto files and has JSON names', () => {
    const field = messages.get('tandem.v1.ReasonRequest')!.field.find(({ name }) => name === 'model_version');
    expect(field?.jsonName).toBe('modelVersion');
  });

  it('ends reserved ranges with an exclusive number', () => {
    const ranges = messages.get('tandem.v1.Metrics')!.reservedRange.map(({ start, end }) => [start, end]);
    expect(ranges).toEqual([
      [16, 17],
      [17, 18],
      [19, 20],
    ]);
  });

  it('has the error details and the types they use', () => {
    expect(messages.has('google.rpc.ErrorInfo')).toBe(true);
    expect(messages.has('google.protobuf.Duration')).toBe(true);
  });

  it('has the comments of the proto files', () => {
    const file = files.find(({ name }) => name === 'tandem/v1/reasoning.proto')!;
    const comments = file.sourceCodeInfo!.location.map(({ leadingComments }) => leadingComments).join('');
    expect(comments.length).toBeGreaterThan(1_000);
  });

  it('has every service of the proto files', () => {
    const texts = readdirSync('proto/tandem/v1').map((name) => readFileSync(`proto/tandem/v1/${name}`, 'utf8'));
    const names = texts.flatMap((text) =>
      [...text.matchAll(/^service (\w+)/gm)].map(([, name]) => `tandem.v1.${name}`),
    );
    expect(names.length).toBeGreaterThan(5);
    expect([...publicServices(files)].sort()).toEqual([...names, 'inference.GRPCInferenceService'].sort());
  });
});
