// A second edge for administrative calls. It serves the same methods on its own connections, so a flood at the public
// address does not keep operators out.
import { ConnectionLimit } from '../core/connection-limit.ts';
import { parseAddress } from '../grpc/listen.ts';
import type { Method } from '../grpc/method.ts';
import { type EdgeKind, createEdge } from './create-edge.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { makePrivateFolder } from './private-folder.ts';

const MAX_CONNECTIONS = 64;

/**
 * Listens at `listen`. At a Unix socket every caller is the router's own user and may do everything. At other addresses
 * `options` decide.
 */
export async function openAdminDoor(
  listen: string,
  kind: EdgeKind,
  methods: readonly Method[],
  options: EdgeOptions,
): Promise<{ readonly edge: Edge; readonly address: string }> {
  const { path } = parseAddress(listen);
  const own = {
    listen,
    connections: new ConnectionLimit(MAX_CONNECTIONS),
    ...(path === undefined ? {} : { tls: undefined, authorize: undefined, strangerAt: undefined, recheck: undefined }),
  };
  if (path !== undefined) makePrivateFolder(listen, path);
  // Later changes to the options of the public edge apply here, too.
  const edge = await createEdge(kind, methods, Object.setPrototypeOf(own, options) as EdgeOptions);
  const port = await edge.start();
  return { edge, address: listen.replace(/:0$/, `:${port}`) };
}
