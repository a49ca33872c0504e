/** Resolves when `work` has settled, at the latest after `timeoutMs`. Never rejects. */
export async function atMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<unknown>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([work, late]).catch(() => undefined);
  clearTimeout(timer);
}
