// Loads the router's certificate, and reloads it when its files change, so that a renewal needs no restart.
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

interface CertificateFiles {
  /** PEM files. */
  readonly cert: string;
  readonly key: string;
  /** Empty: callers need no certificate. */
  readonly client_ca: string;
}

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
}

interface CertificateEvents {
  readonly renewed: (certificate: Certificate) => void;
  /** Called if the files cannot be used; the previous ones stay in use. Called once for each text. */
  readonly failed: (why: string) => void;
}

/** Interval between checks of the files, milliseconds. */
export const CERTIFICATE_POLL_MS = 5_000;

export class Certificates {
  readonly #files: CertificateFiles;
  readonly #events: CertificateEvents;
  readonly #timer: NodeJS.Timeout;
  #current: Certificate;
  #version: string;
  #problem = '';

  /** Throws if the files cannot be used, and names them. */
  constructor(files: CertificateFiles, events: CertificateEvents) {
    this.#files = files;
    this.#events = events;
    this.#version = versionOf(files);
    this.#current = read(files);
    this.#timer = setInterval(() => this.check(), CERTIFICATE_POLL_MS).unref();
  }

  get current(): Certificate {
    return this.#current;
  }

  /** Reads the files if they have changed since. */
  check(): void {
    const version = versionOf(this.#files);
    if (version === this.#version) return;
    try {
      this.#current = read(this.#files);
      this.#version = version;
      this.#problem = '';
      this.#events.renewed(this.#current);
    } catch (error) {
      // Retried at the next check: a renewal may be only half written.
      const why = (error as Error).message;
      if (why !== this.#problem) this.#events.failed(why);
      this.#problem = why;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function read(files: CertificateFiles): Certificate {
  const clientCa = files.client_ca === '' ? undefined : pem('client_ca', files.client_ca);
  const certificate = { cert: pem('cert', files.cert), key: pem('key', files.key), clientCa };
  try {
    createSecureContext({ cert: certificate.cert, key: certificate.key, ca: clientCa });
  } catch (error) {
    const { reason = (error as Error).message } = error as Error & { readonly reason?: string };
    throw new Error(`tls.cert ${files.cert} and tls.key ${files.key} cannot be used together: ${reason}`, {
      cause: error,
    });
  }
  return certificate;
}

function pem(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`cannot read tls.${setting} ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Changes when a file is replaced or written. */
function versionOf({ cert, key, client_ca }: CertificateFiles): string {
  return [cert, key, client_ca]
    .map((file) => {
      const stat = file === '' ? undefined : statSync(file, { throwIfNoEntry: false });
      return `${stat?.ino}:${stat?.mtimeMs}:${stat?.size}`;
    })
    .join();
}
