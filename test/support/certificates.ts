// Creates certificates for a test with scripts/certs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';

const SCRIPT = join(import.meta.dirname, '../../scripts/certs');

export class DevelopmentCa {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-certs-'));
  /** In the form of the settings. */
  readonly tls: { cert: string; key: string; client_ca: string };

  constructor() {
    this.issue();
    this.tls = { cert: this.file('router.pem'), key: this.file('router.key'), client_ca: this.file('ca.pem') };
  }

  /** New certificates for the router and a client. */
  issue(...options: string[]): void {
    execFileSync(SCRIPT, [this.folder, ...options], { stdio: 'pipe' });
  }

  /** A certificate for a client that is valid from 2041 on. */
  issueLater(client: string): void {
    const config = this.file('later.cnf');
    writeFileSync(this.file('index.txt'), '');
    writeFileSync(
      config,
      '[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\n',
    );
    const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
    const [key, request, cert] = [`${client}.key`, `${client}.csr`, `${client}.pem`];
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key);
    openssl('req', '-new', '-key', key, '-subj', `/CN=${client}`, '-out', request);
    const validity = ['-startdate', '20410101000000Z', '-enddate', '20420101000000Z'];
    const signing = ['-cert', 'ca.pem', '-keyfile', 'ca.key', '-md', 'sha256', '-notext', '-batch'];
    openssl('ca', '-config', config, '-in', request, '-out', cert, ...signing, ...validity);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
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
