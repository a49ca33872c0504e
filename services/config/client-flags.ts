import type { Settings } from './schema.ts';

/** What `npx tandem` needs beside the address, for a person to fill in the names of files; or nothing. */
export function clientFlags({ tls }: Pick<Settings, 'tls'>): string {
  if (tls.cert === '') return '';
  return `--ca CA.pem${tls.client_ca === '' ? '' : ' --cert CLIENT.pem --key CLIENT.key'}`;
}
