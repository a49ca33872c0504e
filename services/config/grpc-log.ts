/** Whether grpc-js is to write lines of its own, as its own variable says. */
export function wantsGrpcLog(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return env['GRPC_VERBOSITY'] !== undefined;
}
