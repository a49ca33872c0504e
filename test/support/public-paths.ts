import { publicServices, readDescriptors } from '../../services/api/reflection.ts';

/** "/tandem.v1.ReasoningService/Reason", and every other rpc that callers may use. */
export function publicPaths(): readonly string[] {
  const files = readDescriptors();
  const services = publicServices(files);
  return files.flatMap(({ package: name, service }) =>
    service
      .filter((each) => services.includes(`${name}.${each.name}`))
      .flatMap((each) => each.method.map((method) => `/${name}.${each.name}/${method.name}`)),
  );
}
