// A limit on the memory of all connections together: bytes received but not consumed, and bytes not yet written.
//
// A connection reports now and then, not for each frame. When the sum is too large, the connection with most memory is
// closed.
import { ErrorCode } from './error-codes.ts';

export interface MemoryHolder {
  readonly bytesHeld: number;
  close(code: number, text: string, budget: string): void;
}

/** A connection reports when its memory differs by this much from its last report. */
export const REPORT_STEP_BYTES = 65_536;

export class MemoryBudget {
  readonly #mostBytes: number;
  readonly #reported = new Map<MemoryHolder, number>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  report(holder: MemoryHolder): void {
    const bytes = holder.bytesHeld;
    this.#bytes += bytes - (this.#reported.get(holder) ?? 0);
    this.#reported.set(holder, bytes);
    while (this.#bytes > this.#mostBytes && this.#closeLargest());
  }

  remove(holder: MemoryHolder): void {
    this.#bytes -= this.#reported.get(holder) ?? 0;
    this.#reported.delete(holder);
  }

  #closeLargest(): boolean {
    let largest: MemoryHolder | undefined;
    let most = 0;
    for (const [holder, bytes] of this.#reported) {
      if (bytes <= most) continue;
      most = bytes;
      largest = holder;
    }
    if (largest === undefined) return false;
    this.remove(largest);
    largest.close(
      ErrorCode.ENHANCE_YOUR_CALM,
      `all connections hold more than ${this.#mostBytes} bytes together, and this one holds most (${most})`,
      'memory',
    );
    return true;
  }
}

/** Shared by all connections without a budget of their own. */
export const sharedMemory = new MemoryBudget(256 << 20);
