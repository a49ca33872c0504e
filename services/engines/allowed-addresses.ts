// Checks the addresses of engines that are added at run time.
import { BlockList, isIP } from 'node:net';
import { normalAddress } from './duplicates.ts';

export class AllowedAddresses {
  readonly #networks = new BlockList();
  readonly #names: string[] = [];
  readonly #sockets: string[] = [];

  /** `rules`: networks or IP addresses, host names, "*." plus a domain, "unix:" plus a path prefix. */
  constructor(rules: readonly string[]) {
    for (const rule of rules) {
      const [network = '', bits] = rule.split('/');
      const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
      if (rule.startsWith('unix:')) this.#sockets.push(rule);
      else if (isIP(network) === 0) this.#names.push(rule.toLowerCase());
      else if (bits === undefined) this.#networks.addAddress(network, family);
      else this.#networks.addSubnet(network, Number(bits), family);
    }
  }

  /** `address`: "host:port" or "unix:PATH". A host name is compared as a name, since its addresses may change. */
  has(address: string): boolean {
    const normal = normalAddress(address);
    if (normal.startsWith('unix:')) return this.#sockets.some((start) => normal.startsWith(start));
    const host = normal.slice(0, normal.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
    const family = isIP(host);
    if (family !== 0) return this.#networks.check(host, family === 6 ? 'ipv6' : 'ipv4');
    return this.#names.some((name) => (name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name));
  }
}
