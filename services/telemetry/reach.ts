// Reports once when a collector stops or starts to accept data. A log line for every failed export would hide the other
// lines.
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';

export interface ReachEvents {
  /** The first failure after a success. */
  failing(why: string): void;
  /** The first success after a failure. */
  recovered(): void;
}

export class Reach {
  readonly #events: ReachEvents;
  #isFailing = false;

  constructor(events: ReachEvents) {
    this.#events = events;
  }

  /** Records the result of one export. */
  note({ code, error }: ExportResult): void {
    const isSent = code === ExportResultCode.SUCCESS;
    if (isSent && this.#isFailing) this.#events.recovered();
    if (!isSent && !this.#isFailing) this.#events.failing(error?.message || 'the collector refused it');
    this.#isFailing = !isSent;
  }
}
