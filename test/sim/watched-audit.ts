// An audit that reports when it begins to ask which engine is wrong: later calls to engines are not ballots of the
// request.
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
