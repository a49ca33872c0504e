// For `node --import`: resolves the name "engines" to the addresses in a file, which is read at each lookup. Test only.
import { readFileSync } from 'node:fs';
import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';

export interface DnsAnswer {
  readonly addresses?: readonly string[];
  /** Of the error. Example: "ENOTFOUND". */
  readonly code?: string;
}

const file = process.env['TEST_DNS_FILE'] ?? '';
const real = dns.lookup;

dns.lookup = ((host: string, options: object) => {
  if (host !== 'engines') return real(host, options);
  const { addresses = [], code } = JSON.parse(readFileSync(file, 'utf8')) as DnsAnswer;
  if (code !== undefined) {
    return Promise.reject(Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code }));
  }
  return Promise.resolve(addresses.map((address) => ({ address, family: 4 })));
}) as typeof dns.lookup;
syncBuiltinESMExports();
