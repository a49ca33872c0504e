// Settings of TLS between the router and its engines.
import { z } from 'zod';

export const sidecarTlsSchema = z
  .strictObject({
    ca: z
      .string()
      .default('')
      .describe('PEM file with the CAs that sign the certificates of engines; empty: plaintext to all engines.'),
    cert: z
      .string()
      .default('')
      .describe('PEM file with the certificate that the router presents to engines; empty: none.'),
    key: z.string().default('').describe('PEM file with the private key of `sidecar_tls.cert`.'),
    server_name: z
      .string()
      .default('')
      .describe('Name in the engines’ certificates; empty: the host of each engine’s address.'),
  })
  .prefault({})
  .describe('TLS 1.3 to engines at "host:port" that the router did not start. Files are read at each connection.');

/** Refuses incomplete settings. */
export function checkSidecarTls(
  { sidecar_tls: { ca, cert, key } }: { readonly sidecar_tls: z.infer<typeof sidecarTlsSchema> },
  context: z.RefinementCtx,
): void {
  const problem = (name: string, message: string): void =>
    context.addIssue({ code: 'custom', path: ['sidecar_tls', name], message });
  if (cert !== '' && key === '') problem('key', 'must be the PEM file with the private key of "sidecar_tls.cert"');
  if (cert === '' && key !== '') problem('cert', 'must be the PEM file with the certificate of "sidecar_tls.key"');
  if (ca === '' && cert !== '') problem('ca', 'must be set where "sidecar_tls.cert" is: it turns TLS on');
}
