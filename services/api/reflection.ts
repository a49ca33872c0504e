// gRPC reflection, for grpcurl and the like. See reflection-methods.ts.
import { readFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { ReflectionService } from '@grpc/reflection';
import { checking } from './decoding.ts';
import type { Service } from './methods.ts';
import { checkPlain } from './request-limits.ts';

/** Of every file in proto/, with its comments; `npm run generate` writes it. */
const DESCRIPTORS = new URL('../generated/descriptors.binpb', import.meta.url);

/** Every file, including the ones that the public files import. */
export function readDescriptors(): readonly FileDescriptorProto[] {
  return fromBinary(FileDescriptorSetSchema, readFileSync(DESCRIPTORS)).file;
}

/** Names of the services that callers may use. */
export function publicServices(files: readonly FileDescriptorProto[]): readonly string[] {
  return files
    .filter(({ package: name }) => name === 'tandem.v1' || name === 'inference')
    .flatMap(({ package: name, service }) => service.map((each) => `${name}.${each.name}`));
}

/** The call object that the package's handler gets. */
export interface PackageCall {
  on(event: 'data' | 'end', listener: (message?: unknown) => void): void;
  write(response: unknown): void;
  end(): void;
}

export interface ReflectionMethod {
  readonly decode: (bytes: Buffer) => unknown;
  readonly encode: (response: never) => Uint8Array;
  readonly handle: (call: PackageCall) => void;
}

/** ServerReflection, v1 and v1alpha, by path. */
export function loadReflection(): ReadonlyMap<string, ReflectionMethod> {
  const methods = new Map<string, ReflectionMethod>();
  // The package only knows how to add itself to servers of grpc-js.
  const addService = (service: Service, handlers: Readonly<Record<string, (call: PackageCall) => void>>): void => {
    for (const [name, { path, requestDeserialize, responseSerialize }] of Object.entries(service)) {
      const decode = checking(checkPlain, requestDeserialize);
      methods.set(path, { decode, encode: responseSerialize, handle: handlers[name]! });
    }
  };
  const files = readDescriptors();
  // The package uses only the files' content; their names do not matter.
  const fileDescriptorProtos = files.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  const all = { fileDescriptorProtos, format: 'Protocol Buffer 3 EnumDescriptorProto', type: {} } as const;
  new ReflectionService({ all }, { services: [...publicServices(files)] }).addToServer({ addService });
  return methods;
}
