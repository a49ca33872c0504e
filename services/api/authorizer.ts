// Whether a call may be made: who calls, and the role that the method needs.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Caller, Callers } from '../auth/callers.ts';
import { ACCESS, OBSERVE, OPERATE, REASON } from '../auth/roles.ts';
import { RouterError } from '../core/errors.ts';
import type { Role } from '../core/roles.ts';
import type { Metadata } from '../grpc/metadata.ts';

export class Authorizer {
  #callers: Callers;
  /** Callers repeat their headers, and equal headers of a connection are one object: see http2/header-cache.ts. */
  #known = new WeakMap<Metadata, Caller>();
  readonly #names = new WeakMap<Socket, readonly string[]>();

  constructor(callers: Callers) {
    this.#callers = callers;
  }

  /** For calls that begin from now on. */
  configure(callers: Callers): void {
    this.#callers = callers;
    this.#known = new WeakMap();
  }

  /** False: anybody may call; see setting `auth`. */
  get isRequired(): boolean {
    return this.#callers.isRequired;
  }

  /** Returns why the call may not be made; undefined: it may. */
  check(path: string, metadata: Metadata, socket: Socket): RouterError | undefined {
    const access = ACCESS[path] ?? [];
    if (access === 'ANYBODY') return undefined;
    if (!this.#callers.isRequired) return access === OPERATE ? administrative() : undefined;
    try {
      return missingRole(this.#identify(metadata, socket), access);
    } catch (error) {
      return RouterError.from(error);
    }
  }

  /** Name of the caller of a call that may be made; empty: callers have no names. Throws where it is not known here. */
  nameOf(metadata: Metadata): string {
    if (!this.#callers.isRequired) return '';
    const known = this.#known.get(metadata);
    if (known !== undefined) return known.name;
    // grpc-js gives a handler other headers than it was checked with, and not the connection.
    const [authorization] = metadata.get('authorization');
    if (authorization === undefined) {
      const message = 'with edge grpc-js, a caller without a token has no sessions; send a token, or set edge: native';
      throw new RouterError('INVALID_FIELD', message, { field: 'session' });
    }
    return this.#callers.identify({ authorization, certificateNames: [] }).name;
  }

  /** Of an HTTP request: its header `authorization` is `Bearer TOKEN`, or `Basic` with the token as the password. */
  checkHttp(authorization: string | undefined, need: 'read' | 'reason'): RouterError | undefined {
    if (!this.#callers.isRequired) return undefined;
    const access = need === 'read' ? OBSERVE : REASON;
    try {
      return missingRole(
        this.#callers.identify({ authorization: asBearer(authorization), certificateNames: [] }),
        access,
      );
    } catch (error) {
      return RouterError.from(error);
    }
  }

  #identify(metadata: Metadata, socket: Socket): Caller {
    const known = this.#known.get(metadata);
    if (known !== undefined) return known;
    const authorization = metadata.get('authorization');
    if (authorization.length > 1) {
      throw new RouterError('BAD_CREDENTIALS', 'metadata "authorization" is there more than once; send one token');
    }
    const caller = this.#callers.identify({
      authorization: authorization[0],
      certificateNames: this.#namesOf(socket),
    });
    this.#known.set(metadata, caller);
    return caller;
  }

  #namesOf(socket: Socket): readonly string[] {
    if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
    let names = this.#names.get(socket);
    if (names === undefined) {
      names = namesIn(socket.getPeerX509Certificate()?.toLegacyObject());
      this.#names.set(socket, names);
    }
    return names;
  }
}

function administrative(): RouterError {
  const message =
    'administrative calls are not taken here: run "npx tandem" as the user of the router, on its machine, which finds the ' +
    'socket of setting admin.listen; or list a caller with role operate in setting auth';
  return new RouterError('ADMIN_FORBIDDEN', message);
}

function missingRole({ name, roles }: Caller, access: readonly Role[]): RouterError | undefined {
  if (roles.some((role) => access.includes(role))) return undefined;
  const needed = access.length === 0 ? 'no role may make it' : `it needs the role ${access.join(' or ')}`;
  const message = `${name} may not make this call: ${needed}; ask the operator of the router`;
  return new RouterError('ROLE_MISSING', message, { metadata: { caller: name, roles: access.join(',') } });
}

function asBearer(authorization: string | undefined): string | undefined {
  const basic = /^Basic +([A-Za-z0-9+/=]{1,2048})$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return authorization;
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? [];
  return `Bearer ${password}`;
}

interface CertificateNames {
  readonly subject?: { readonly CN?: string | string[] };
  /** Such as "DNS:a.example, IP Address:10.0.0.1". Node.js quotes what could be taken for two entries. */
  readonly subjectaltname?: string | undefined;
}

/** DNS names, then common names. */
export function namesIn({ subject, subjectaltname = '' }: CertificateNames = {}): readonly string[] {
  const alternative = subjectaltname.split(', ').flatMap((entry) => /^DNS:([\w.@-]+)$/.exec(entry)?.[1] ?? []);
  return [...new Set([...alternative, ...[subject?.CN ?? []].flat()])];
}
