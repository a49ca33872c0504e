// gRPC reflection, for grpcurl and the like.
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type PackageDefinition, loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

const SERVICES = ['reasoning', 'models', 'engines', 'metrics', 'events'];

export function reflection(protoDir: string): ReflectionService {
  return new ReflectionService(publicServices(protoDir));
}

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
