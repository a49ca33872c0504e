// The first bytes of a client (RFC 9113, section 3.4), and the response to a client of HTTP/1.1.
import { protocolError } from './error-codes.ts';
import { CLIENT_PREFACE } from './frames.ts';

/** Thrown instead of ConnectionError: the client must be answered in its own protocol. */
export class Http1Client extends Error {
  override readonly name = 'Http1Client';
}

const HTTP1_REQUEST = /^[A-Z]+ [^\r\n]* HTTP\/1\.[01]\r?\n/;

export class PrefaceReader {
  #matched = 0;

  get isComplete(): boolean {
    return this.#matched === CLIENT_PREFACE.length;
  }

  /** Returns the index in the chunk at which the preface ends. Throws ConnectionError or Http1Client. */
  read(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && this.#matched < CLIENT_PREFACE.length) {
      if (chunk[at] !== CLIENT_PREFACE[this.#matched]) throw this.#mismatch(chunk);
      at++;
      this.#matched++;
    }
    return at;
  }

  #mismatch(chunk: Buffer): Error {
    if (HTTP1_REQUEST.test(chunk.toString('latin1', 0, 1_024))) return new Http1Client('the client speaks HTTP/1.1');
    return protocolError('the client does not begin with the preface of HTTP/2');
  }
}

/** A whole response of HTTP/1.1. */
export function http1Response(text: string): string {
  const head = ['HTTP/1.1 400 Bad Request', 'content-type: text/plain; charset=utf-8', 'connection: close'];
  return [...head, `content-length: ${Buffer.byteLength(text)}`, '', text].join('\r\n');
}
