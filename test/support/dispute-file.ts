// The content of a router's file of setting `disputes.file`.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The first difference of an engine's recording. A missing field means that there is none. */
export interface RecordedDifference {
  readonly engine: string;
  /** The engine it was compared with; empty: no comparison was possible. */
  readonly reference: string;
  readonly state_step?: number;
  readonly state_node?: string;
  readonly spike_step?: number;
  readonly spike_node?: string;
  readonly spike_neuron?: number;
  readonly text: string;
}

export interface DisputeBallot {
  readonly engine: string;
  readonly state_digest: string;
  readonly outcome: string;
  readonly why: string;
}

export interface DisputeRecord {
  readonly verdict: string;
  readonly strategy: string;
  readonly input_f32_base64?: string;
  readonly ballots: readonly DisputeBallot[];
  readonly differences?: readonly RecordedDifference[];
}

export class DisputeFile {
  readonly path = join(mkdtempSync(join(tmpdir(), 'tandem-disputes-')), 'disputes.jsonl');

  /** The setting for a router; it never rotates. */
  get settings(): Record<string, unknown> {
    return { file: this.path, max_bytes: 1_099_511_627_776 };
  }

  /** Complete lines only: the router may be writing the last one. */
  read(): DisputeRecord[] {
    if (!existsSync(this.path)) return [];
    const lines = readFileSync(this.path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as DisputeRecord);
  }

  /** Records in which the engine dissented or was absent through its own fault. */
  against(engineId: string): DisputeRecord[] {
    return this.read().filter(({ ballots }) =>
      ballots.some(({ engine, outcome, why }) => engine === engineId && isBlamed(outcome, why)),
    );
  }
}

/** An absent engine is blamed if it is at fault, not if it was lost or late. */
function isBlamed(outcome: string, why: string): boolean {
  return outcome === 'DISSENTED' || (outcome === 'ABSENT' && why.startsWith('ENGINE_FAULT'));
}
