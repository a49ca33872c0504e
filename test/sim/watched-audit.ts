// An audit that tells when it begins to ask who is wrong: what engines are asked from then on is no ballot of the request.
import { Audit, type AuditOptions } from '../../services/routing/audit.ts';

export class WatchedAudit extends Audit {
  readonly #onContradicted: (data: Uint8Array) => void;

  constructor(options: AuditOptions, onContradicted: (data: Uint8Array) => void) {
    super(options);
    this.#onContradicted = onContradicted;
  }

  override contradicted(...args: Parameters<Audit['contradicted']>): void {
    const [, , { input }] = args;
    this.#onContradicted(input.data);
    super.contradicted(...args);
  }
}
