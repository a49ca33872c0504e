// Environment variables of the command-line client.

/** Address of the router without --address: TANDEM_ADDRESS, else this machine. */
export function routerAddress(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['TANDEM_ADDRESS'] || '127.0.0.1:50051';
}

/** Address for administrative calls, in the form of setting `admin.listen`: TANDEM_ADMIN_LISTEN. Undefined: not set. */
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
