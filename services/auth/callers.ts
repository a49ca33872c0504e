// Identifies callers: a bearer token or a client certificate names a caller, and a caller has roles.
import { createHash, timingSafeEqual } from 'node:crypto';
import { RouterError } from '../core/errors.ts';
import type { Role } from '../core/roles.ts';

export interface Caller {
  readonly name: string;
  readonly roles: readonly Role[];
}

interface AuthOptions {
  readonly tokens: readonly (Caller & {
    /** Of the token, hex. */
    readonly sha256: string;
  })[];
  readonly certificates: readonly Caller[];
}

/** The credentials of a call. */
interface Credentials {
  /** The header `authorization`. */
  readonly authorization: string | undefined;
  /** Names in the client certificate, which TLS has verified. */
  readonly certificateNames: readonly string[];
}

const BEARER = /^Bearer +([\x21-\x7e]{1,1024})$/i;

export class Callers {
  readonly #tokens: readonly { readonly hash: Buffer; readonly caller: Caller }[];
  readonly #certificates: ReadonlyMap<string, Caller>;

  constructor({ tokens, certificates }: AuthOptions) {
    this.#tokens = tokens.map(({ sha256, ...caller }) => ({ hash: Buffer.from(sha256, 'hex'), caller }));
    this.#certificates = new Map(certificates.map((caller) => [caller.name, caller]));
  }

  /** False: the settings list no caller, so calls need no credentials. */
  get isRequired(): boolean {
    return this.#tokens.length > 0 || this.#certificates.size > 0;
  }

  has(name: string): boolean {
    return this.#certificates.has(name) || this.#tokens.some(({ caller }) => caller.name === name);
  }

  /** Throws NO_CREDENTIALS or BAD_CREDENTIALS. */
  identify({ authorization, certificateNames }: Credentials): Caller {
    const byCertificate = certificateNames
      .map((name) => this.#certificates.get(name))
      .find((each) => each !== undefined);
    if (authorization === undefined) {
      if (byCertificate !== undefined) return byCertificate;
      throw new RouterError('NO_CREDENTIALS', this.#whatIsMissing(certificateNames));
    }
    const byToken = this.#byToken(authorization);
    // A stolen token must not work with another caller's certificate.
    if (byCertificate !== undefined && byCertificate.name !== byToken.name) {
      const message = `the certificate is of ${byCertificate.name}, the token of ${byToken.name}; present those of one caller`;
      throw new RouterError('BAD_CREDENTIALS', message);
    }
    return byToken;
  }

  #byToken(authorization: string): Caller {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) {
      throw new RouterError('BAD_CREDENTIALS', 'metadata "authorization" must be "Bearer TOKEN"');
    }
    const hash = createHash('sha256').update(token).digest();
    let found: Caller | undefined;
    // All are compared, so that the duration reveals nothing.
    for (const each of this.#tokens) if (timingSafeEqual(each.hash, hash)) found = each.caller;
    if (found === undefined) {
      throw new RouterError(
        'BAD_CREDENTIALS',
        'the token is not known here; ask the operator of the router for a new one',
      );
    }
    return found;
  }

  #whatIsMissing(certificateNames: readonly string[]): string {
    const token = 'send metadata "authorization: Bearer TOKEN"';
    if (certificateNames.length === 0) return `this router wants to know who calls; ${token}`;
    return `the certificate's names (${certificateNames.join(', ')}) are not in setting auth.certificates; ${token}`;
  }
}
