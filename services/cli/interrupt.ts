// Ctrl-C during long work: the first one finishes what was read, the second ends at once.
import { INTERRUPTED } from './exit-codes.ts';

export async function interruptible(stopInput: () => void, work: () => Promise<void>): Promise<void> {
  const interrupted = new AbortController();
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(INTERRUPTED);
    interrupted.abort();
    process.stderr.write('\nReading stopped; waiting for the remaining answers (Ctrl-C again: end at once)…\n');
    stopInput();
  };
  process.on('SIGINT', onSignal);
  try {
    await work();
  } finally {
    process.off('SIGINT', onSignal);
    if (interrupted.signal.aborted) process.exitCode = INTERRUPTED;
  }
}
