/** Whether grpc-js writes its own log lines, according to its variable. */
export function wantsGrpcLog(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return env['GRPC_VERBOSITY'] !== undefined;
}
