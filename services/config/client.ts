// What the command-line client takes from the environment.

/** Where the router is, unless --address says so: TANDEM_ADDRESS, else this machine. */
export function routerAddress(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['TANDEM_ADDRESS'] || '127.0.0.1:50051';
}

/** A PEM file of the client: TANDEM_CLIENT_CA, TANDEM_CLIENT_CERT or TANDEM_CLIENT_KEY. Undefined: none. */
export function clientFile(
  name: 'CA' | 'CERT' | 'KEY',
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  return env[`TANDEM_CLIENT_${name}`] || undefined;
}
