import type { Settings } from './schema.ts';

/** The flags that `npx tandem` needs besides the address, with placeholders for file names; may be empty. */
export function clientFlags({ tls }: Pick<Settings, 'tls'>): string {
  if (tls.cert === '') return '';
  return `--ca CA.pem${tls.client_ca === '' ? '' : ' --cert CLIENT.pem --key CLIENT.key'}`;
}
