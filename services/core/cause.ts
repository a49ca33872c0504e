// The text of a cause, for an operator, with the number of times in a row that it occurred.

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
