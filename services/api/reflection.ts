// gRPC reflection, for grpcurl and the like. See reflection-methods.ts.
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type PackageDefinition, loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { checking } from './decoding.ts';
import type { Service } from './methods.ts';
import { checkPlain } from './request-limits.ts';

const SERVICES = ['reasoning', 'models', 'engines', 'metrics', 'events'];

/** What the public services look like, in descriptors that strict readers take. */
export function publicServices(protoDir: string): PackageDefinition {
  const files = SERVICES.map((name) => `tandem/v1/${name}.proto`);
  const definition = loadSync(files, { includeDirs: [protoDir], keepCase: true });
  for (const each of Object.values(definition)) {
    if (Array.isArray(each.fileDescriptorProtos)) each.fileDescriptorProtos = each.fileDescriptorProtos.map(repair);
  }
  return definition;
}

/** protobufjs calls the entries of a map field as the field; grpcurl wants the name that protoc gives them. */
function repair(bytes: Buffer): Buffer {
  const file = fromBinary(FileDescriptorProtoSchema, bytes);
  file.messageType.forEach(nameMapEntries);
  return Buffer.from(toBinary(FileDescriptorProtoSchema, file));
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
