// What the command-line client takes from the environment.

/** Where the router is, unless --address says so: TANDEM_ADDRESS, else this machine. */
export function routerAddress(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['TANDEM_ADDRESS'] || '127.0.0.1:50051';
}
