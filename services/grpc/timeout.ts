// The header grpc-timeout: at most eight digits and a unit.

const FORM = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
const MAX_NUMBER = 99_999_999;

/** Milliseconds; undefined: not a timeout. */
export function parseTimeout(text: string): number | undefined {
  const [, number, unit] = FORM.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * UNIT_MS[unit!]!;
}

/** Rounded up, so that a server does not end a call before its caller does. At least 1 ms. */
export function formatTimeout(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  if (ms <= MAX_NUMBER) return `${ms}m`;
  const s = Math.ceil(ms / 1_000);
  return s <= MAX_NUMBER ? `${s}S` : `${Math.min(MAX_NUMBER, Math.ceil(s / 3_600))}H`;
}
