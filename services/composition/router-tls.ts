// Loads the router's certificate and reports its changes.
import { type Certificate, Certificates } from '../auth/certificates.ts';
import type { Settings } from '../config/schema.ts';
import { isLoopbackAddress } from '../core/loopback.ts';
import type { ListenTls } from '../grpc/listen.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';

export class RouterTls {
  /** Undefined: the gRPC server speaks plaintext. */
  readonly listenTls: ListenTls | undefined;
  /** Undefined: the HTTP server speaks plaintext. */
  readonly httpCertificate: Certificate | undefined;
  /** Connections that failed during the TLS handshake. */
  handshakesFailed = 0;
  readonly #certificates: Certificates | undefined;
  #renewed: (certificate: Certificate) => void = () => undefined;

  /** Throws if files of `settings.tls` cannot be used. */
  constructor(settings: Settings, system: SystemEvents) {
    const { tls, listen, http_listen: httpListen } = settings;
    if (tls.cert === '') return;
    this.#certificates = new Certificates(tls, {
      renewed: (certificate) => {
        system.tell('security', 'INFO', 'certificate renewed', { file: tls.cert });
        this.#renewed(certificate);
      },
      failed: (why) => {
        system.tell('security', 'ERROR', 'certificate not renewed; the previous one stays in use', { why });
      },
    });
    const { current } = this.#certificates;
    if (!isLoopbackAddress(httpListen)) this.httpCertificate = current;
    if (listen.startsWith('unix:')) return;
    const onHandshakeFailed = (why: string, peer: string): void => {
      this.handshakesFailed += 1;
      system.tell('security', 'WARNING', 'TLS handshake failed', { name: why, last_peer: peer });
    };
    this.listenTls = { certificate: current, onHandshakeFailed };
  }

  /** For new connections. */
  onRenewed(renewed: (certificate: Certificate) => void): void {
    this.#renewed = renewed;
  }

  stop(): void {
    this.#certificates?.stop();
  }
}
