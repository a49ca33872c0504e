// A decoded header block, and its first error, if it has one.
import { isPseudo, Kind, parseContentLength } from './header-rules.ts';
import type { Headers } from './types.ts';

const bit = (kind: number): number => 1 << kind;
const METHOD_BIT = bit(Kind.METHOD);
const AUTHORITY_BIT = bit(Kind.AUTHORITY);
const STATUS_BIT = bit(Kind.STATUS);
const TARGET_BITS = bit(Kind.SCHEME) | bit(Kind.PATH);
const PSEUDO_BITS = METHOD_BIT | TARGET_BITS | AUTHORITY_BIT | STATUS_BIT;

export class HeaderBlock implements Headers {
  readonly list: string[] = [];
  memo: unknown = undefined;
  /** The value of content-length; -1 if there is none. */
  contentLength = -1;
  /** True if the list is larger than allowed. It is not complete then. */
  isTooLarge = false;
  /** Which kinds of fields the block has. */
  #kinds = 0;
  /** The first error that does not depend on the use of the block. */
  #fault: string | undefined = undefined;

  get(name: string): string | undefined {
    const { list } = this;
    for (let at = 0; at < list.length; at += 2) if (list[at] === name) return list[at + 1];
    return undefined;
  }

  /** `isValid` says that the value is well formed. */
  add(name: string, value: string, kind: number, isValid: boolean): void {
    this.list.push(name, value);
    if (kind !== Kind.REGULAR || !isValid) this.#check(name, value, kind, isValid);
    this.#kinds |= 1 << kind;
  }

  /** The error in the block as the headers of a request, or undefined. */
  get requestFault(): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    const kinds = this.#kinds;
    if (kinds & STATUS_BIT) return ':status in a request';
    if ((kinds & METHOD_BIT) === 0) return 'no :method';
    if ((kinds & TARGET_BITS) === TARGET_BITS && this.get(':method') !== 'CONNECT') return undefined;
    if (this.get(':method') !== 'CONNECT') return 'no :scheme or no :path';
    return (kinds & TARGET_BITS) === 0 && kinds & AUTHORITY_BIT
      ? undefined
      : 'a CONNECT request has :method and :authority only';
  }

  /** The error in the block as the headers of a response, or undefined. */
  get responseFault(): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    if ((this.#kinds & PSEUDO_BITS) !== STATUS_BIT) return 'a response has exactly one pseudo-header, :status';
    return undefined;
  }

  /** The error in the block as trailers, or undefined. */
  get trailersFault(): string | undefined {
    return this.#fault ?? (this.#kinds & PSEUDO_BITS ? 'a pseudo-header in trailers' : undefined);
  }

  #check(name: string, value: string, kind: number, isValid: boolean): void {
    const fault = isValid
      ? this.#faultOf(name, value, kind)
      : `the value of ${name} has a character that is not allowed`;
    this.#fault ??= fault;
  }

  #faultOf(name: string, value: string, kind: number): string | undefined {
    if (isPseudo(kind)) {
      if (this.#kinds & ~PSEUDO_BITS) return `${name} after a regular field`;
      if (this.#kinds & bit(kind)) return `${name} twice`;
      if (kind === Kind.PATH && !value.startsWith('/') && value !== '*') return ':path does not begin with a slash';
      if (kind === Kind.STATUS && !/^[1-9][0-9][0-9]$/.test(value)) return ':status is not a number of three digits';
      return undefined;
    }
    if (kind === Kind.CONTENT_LENGTH) return this.#setContentLength(value);
    if (kind === Kind.TE && value.toLowerCase() !== 'trailers') return 'te other than trailers';
    if (kind === Kind.CONNECTION_SPECIFIC) return `${name}, which belongs to HTTP/1.1`;
    return kind === Kind.INVALID_NAME ? 'a field name that is not allowed' : undefined;
  }

  #setContentLength(value: string): string | undefined {
    const length = parseContentLength(value);
    if (length < 0 || (this.contentLength >= 0 && this.contentLength !== length)) return 'content-length is invalid';
    this.contentLength = length;
    return undefined;
  }
}
