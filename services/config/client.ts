// What the command-line client takes from the environment.

/** Where the router is, unless --address says so: TANDEM_ADDRESS, else this machine. */
export function routerAddress(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['TANDEM_ADDRESS'] || '127.0.0.1:50051';
}

/** Where administrative calls go, as the router's setting `admin.listen` has it: TANDEM_ADMIN_LISTEN. Undefined: not set. */
export function adminOption(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  return env['TANDEM_ADMIN_LISTEN'] || undefined;
}

/** TANDEM_CLIENT_CA, TANDEM_CLIENT_CERT, TANDEM_CLIENT_KEY or TANDEM_CLIENT_TOKEN. Undefined: not set. */
export function clientOption(
  name: 'CA' | 'CERT' | 'KEY' | 'TOKEN',
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  return env[`TANDEM_CLIENT_${name}`] || undefined;
}
