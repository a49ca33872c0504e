// Why something is as it is, in words for an operator, with how often the same cause was there.

const TIMES = / \(\d+ times in a row\)/g;

export function withTimes(cause: string, times: number): string {
  return times > 1 ? `${cause} (${times} times in a row)` : cause;
}

export function withoutTimes(text: string): string {
  return text.replaceAll(TIMES, '');
}

/** Equal for causes that differ in their digits alone, or in how often they were there: counts and times are no news. */
export function causeOf(text: string): string {
  return withoutTimes(text).replaceAll(/\d+/g, '#');
}
