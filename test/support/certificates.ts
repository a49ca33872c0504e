// Certificates of a test's own, by scripts/certs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';

const SCRIPT = join(import.meta.dirname, '../../scripts/certs');

export class DevelopmentCa {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-certs-'));
  /** As settings have it. */
  readonly tls: { cert: string; key: string; client_ca: string };

  constructor() {
    this.issue();
    this.tls = { cert: this.file('router.pem'), key: this.file('router.key'), client_ca: this.file('ca.pem') };
  }

  /** New certificates for the router and a client. */
  issue(...options: string[]): void {
    execFileSync(SCRIPT, [this.folder, ...options], { stdio: 'pipe' });
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): Buffer {
    return readFileSync(this.file(name));
  }

  /** `client`: name of the client whose certificate is presented; undefined: no certificate. */
  credentials(client?: string): grpc.ChannelCredentials {
    if (client === undefined) return grpc.credentials.createSsl(this.read('ca.pem'));
    return grpc.credentials.createSsl(this.read('ca.pem'), this.read(`${client}.key`), this.read(`${client}.pem`));
  }
}
