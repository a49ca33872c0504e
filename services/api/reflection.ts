// gRPC reflection, for grpcurl and the like.
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type PackageDefinition, loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import type { IncomingCall, Method } from '../grpc/method.ts';
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
interface PackageCall {
  on(event: 'data' | 'end', listener: (message?: unknown) => void): void;
  write(response: unknown): void;
  end(): void;
}

/** ServerReflection, v1 and v1alpha. */
export function reflectionMethods(protoDir: string): Method[] {
  const methods: Method[] = [];
  // The package adds itself to servers of grpc-js.
  const addService = (service: Service, handlers: Readonly<Record<string, (call: PackageCall) => void>>): void => {
    for (const [name, rpc] of Object.entries(service)) {
      // A request with too many fields ends with gRPC's own INTERNAL: no client sends one.
      const decode = checking(checkPlain, rpc.requestDeserialize);
      const handle = (call: IncomingCall): void => handlers[name]!(toPackageCall(call));
      const encode = rpc.responseSerialize as Method['encode'];
      methods.push({ ...{ path: rpc.path, requestStream: true, responseStream: true }, ...{ decode, encode, handle } });
    }
  };
  new ReflectionService(publicServices(protoDir)).addToServer({ addService });
  return methods;
}

function toPackageCall(call: IncomingCall): PackageCall {
  const listener: { onMessage?: (message: unknown) => void; onEnd?: () => void } = {};
  call.listener = listener;
  return {
    on: (event, listen) => {
      if (event === 'data') listener.onMessage = listen;
      else listener.onEnd = listen;
    },
    write: (response) => void call.send(response),
    end: () => call.end(),
  };
}
