// A clock shared by all threads of this process. Each thread's performance.now() starts at 0 with the thread, and
// timeOrigin is wall-clock time, which may be changed between two starts. The underlying monotonic clock is the same
// for all.

const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** From this thread's `performance.now()` to the shared clock. */
export function toShared(ms: number): number {
  return ms + offsetMs;
}

/** From the shared clock to this thread's `performance.now()`. */
export function fromShared(ms: number): number {
  return ms - offsetMs;
}
