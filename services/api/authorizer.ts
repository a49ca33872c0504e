// Decides whether a call is allowed: identifies the caller and checks the role that the method needs.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import { CallerAccounts } from '../auth/caller-accounts.ts';
import type { Caller, Callers } from '../auth/callers.ts';
import { ACCESS, OBSERVE, OPERATE, REASON } from '../auth/roles.ts';
import { RouterError } from '../core/errors.ts';
import type { Role } from '../core/roles.ts';
import type { Metadata } from '../grpc/metadata.ts';

export class Authorizer {
  #callers: Callers;
  /** Cached by the headers object: equal headers of a connection are the same object (see http2/header-cache.ts). */
  #known = new WeakMap<Metadata, Caller>();
  readonly #accounts: CallerAccounts;
  /** By address. Kept apart from the callers: many addresses must not push out a caller's account. */
  readonly #strangers = new CallerAccounts(NO_LIMITS);
  /** Of callers without a name. */
  readonly #bySocket = new WeakMap<Socket, CallerAccount>();
  readonly #names = new WeakMap<Socket, readonly string[]>();

  constructor(callers: Callers, accounts: CallerAccounts) {
    this.#callers = callers;
    this.#accounts = accounts;
  }

  /** Applies to calls that start from now on. */
  configure(callers: Callers): void {
    this.#callers = callers;
    this.#known = new WeakMap();
  }

  /** False: calls need no credentials (setting `auth` lists no caller). */
  get isRequired(): boolean {
    return this.#callers.isRequired;
  }

  /** Whether a caller of that name is listed. */
  knows(name: string): boolean {
    return this.#callers.has(name);
  }

  /** Returns the reason for a refusal; undefined: the call is allowed. */
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

  /** The account of a connection without an authorized call: that of its address. */
  strangerAt({ remoteAddress = '' }: Socket): CallerAccount {
    return this.#strangers.of(undefined, remoteAddress);
  }

  /** The caller of a call that `check` has allowed. Undefined: a probe. */
  accountOf(path: string, metadata: Metadata, socket: Socket): CallerAccount | undefined {
    if (ACCESS[path] === 'ANYBODY') return undefined;
    const name = this.#known.get(metadata)?.name;
    if (name !== undefined) return this.#accounts.of(name, '');
    let account = this.#bySocket.get(socket);
    if (account === undefined) {
      account = this.#accounts.of(undefined, socket.remoteAddress ?? '');
      this.#bySocket.set(socket, account);
    }
    return account;
  }

  /**
   * Checks an HTTP request from an IP address. Header `authorization` is `Bearer TOKEN`, or `Basic` with the token as
   * the password. Returns the error that refuses the request, or else, for a request to a model, its caller.
   */
  checkHttp(
    authorization: string | undefined,
    need: 'read' | 'reason',
    address: string,
  ): RouterError | CallerAccount | undefined {
    if (!this.#callers.isRequired) return need === 'read' ? undefined : this.#charge(undefined, address);
    const access = need === 'read' ? OBSERVE : REASON;
    try {
      const caller = this.#callers.identify({ authorization: asBearer(authorization), certificateNames: [] });
      return missingRole(caller, access) ?? (need === 'read' ? undefined : this.#charge(caller.name, address));
    } catch (error) {
      return RouterError.from(error);
    }
  }

  /** An HTTP request counts as a call that ends at once: the connection limits how many are in flight. */
  #charge(name: string | undefined, address: string): RouterError | CallerAccount {
    const account = this.#accounts.of(name, address);
    const refusal = account.begin();
    if (refusal !== undefined) return refusal;
    account.ended();
    return account;
  }

  #identify(metadata: Metadata, socket: Socket): Caller {
    const known = this.#known.get(metadata);
    if (known !== undefined) return known;
    const authorization = metadata.get('authorization');
    if (authorization.length > 1) {
      throw new RouterError('BAD_CREDENTIALS', 'metadata "authorization" is set more than once; send one token');
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
  /** Example: "DNS:a.example, IP Address:10.0.0.1". Node.js quotes a value that could be read as two entries. */
  readonly subjectaltname?: string | undefined;
}

/** DNS names, then common names. */
export function namesIn({ subject, subjectaltname = '' }: CertificateNames = {}): readonly string[] {
  const alternative = subjectaltname.split(', ').flatMap((entry) => /^DNS:([\w.@-]+)$/.exec(entry)?.[1] ?? []);
  return [...new Set([...alternative, ...[subject?.CN ?? []].flat()])];
}
