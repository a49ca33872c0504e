// Detects addresses that only programs on this machine can reach.

/** Of a host name or an IP address; IPv6 with or without brackets. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(bare);
}

/** Of "host:port" or "unix:PATH". */
export function isLoopbackAddress(address: string): boolean {
  return address.startsWith('unix:') || isLoopbackHost(address.slice(0, address.lastIndexOf(':')));
}

/** Normalizes an IP address: an IPv4-mapped IPv6 address becomes the IPv4 address. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
