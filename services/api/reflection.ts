// gRPC reflection, for grpcurl and the like. See reflection-methods.ts.
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type PackageDefinition, loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { checking } from './decoding.ts';
import type { Service } from './methods.ts';
import { checkPlain } from './request-limits.ts';

const FILES = [
  ...['reasoning', 'sessions', 'models', 'engines', 'metrics', 'events'].map((name) => `tandem/v1/${name}.proto`),
  ...['learning', 'operations', 'agents', 'settings'].map((name) => `tandem/v1/${name}.proto`),
  'inference/grpc_service.proto',
  'google/rpc/error_details.proto', // of the errors: a client then shows them as text
];

/** What the public services look like, in descriptors that strict readers take. */
export function publicServices(protoDir: string): PackageDefinition {
  const definition = loadSync(FILES, { includeDirs: [protoDir], keepCase: true });
  for (const each of Object.values(definition)) {
    if (Array.isArray(each.fileDescriptorProtos)) each.fileDescriptorProtos = each.fileDescriptorProtos.map(repair);
  }
  return definition;
}

/**
 * protobufjs calls the entries of a map field as the field, and ends reserved ranges with their last number; grpcurl wants the
 * name that protoc gives the entries, and the number after the last.
 */
function repair(bytes: Buffer): Buffer {
  const file = fromBinary(FileDescriptorProtoSchema, bytes);
  file.messageType.forEach(nameMapEntries);
  file.messageType.forEach(endRanges);
  importDuration(file);
  return Buffer.from(toBinary(FileDescriptorProtoSchema, file));
}

/** The only type of another package: protobufjs names it without its package, and leaves the import out. */
function importDuration(file: FileDescriptorProto): void {
  for (const field of file.messageType.flatMap(({ field }) => field)) {
    if (field.typeName !== 'protobuf.Duration') continue;
    field.typeName = '.google.protobuf.Duration';
    file.dependency = ['google_protobuf.proto'];
  }
}

function endRanges(message: DescriptorProto): void {
  for (const range of message.reservedRange) range.end += 1;
  message.nestedType.forEach(endRanges);
}

function nameMapEntries(message: DescriptorProto): void {
  for (const entry of message.nestedType.filter(({ options }) => options?.mapEntry)) {
    const field = message.field.find(({ typeName }) => typeName.split('.').at(-1) === entry.name);
    if (field === undefined) continue;
    entry.name = `${field.name.replaceAll(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())}Entry`;
    field.typeName = entry.name;
  }
  message.nestedType.forEach(nameMapEntries);
}

/** What a package's own handler is given as its call. */
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
export function loadReflection(protoDir: string): ReadonlyMap<string, ReflectionMethod> {
  const methods = new Map<string, ReflectionMethod>();
  // The package adds itself to servers of grpc-js.
  const addService = (service: Service, handlers: Readonly<Record<string, (call: PackageCall) => void>>): void => {
    for (const [name, { path, requestDeserialize, responseSerialize }] of Object.entries(service)) {
      const decode = checking(checkPlain, requestDeserialize);
      methods.set(path, { decode, encode: responseSerialize, handle: handlers[name]! });
    }
  };
  new ReflectionService(publicServices(protoDir)).addToServer({ addService });
  return methods;
}
