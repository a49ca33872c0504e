import { type NetConnectOpts, type Socket, connect } from 'node:net';

/** `address` as in setting `sidecars`: "host:port" or "unix:path". */
export function connectTo(address: string, options: { readonly allowHalfOpen?: boolean } = {}): Socket {
  return connect({ ...toConnectOptions(address), ...options });
}

function toConnectOptions(address: string): NetConnectOpts {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
