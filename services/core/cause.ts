// The text of a cause for an operator, with the number of consecutive occurrences.

const TIMES = / \(\d+ times in a row\)/g;

export function withTimes(cause: string, times: number): string {
  return times > 1 ? `${cause} (${times} times in a row)` : cause;
}

export function withoutTimes(text: string): string {
  return text.replaceAll(TIMES, '');
}

/**
 * Equal for causes that differ only in digits or in the number of occurrences: other counts and times are not new
 * causes.
 */
export function causeOf(text: string): string {
  return withoutTimes(text).replaceAll(/\d+/g, '#');
}
