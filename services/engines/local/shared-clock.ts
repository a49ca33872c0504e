// One clock for all threads of this process: each thread's performance.now() starts when the thread does, and their
// timeOrigin is wall-clock time, which may be set between two starts. The monotonic clock underneath is one.

const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** From this thread's `performance.now()` to the shared clock. */
export function toShared(ms: number): number {
  return ms + offsetMs;
}

/** From the shared clock to this thread's `performance.now()`. */
export function fromShared(ms: number): number {
  return ms - offsetMs;
}
