// Durations that a text states.

const WORK_DAY_HOURS = 8;
const WORK_WEEK_HOURS = 5 * WORK_DAY_HOURS;
const WORK_MONTH_HOURS = 21 * WORK_DAY_HOURS;

const HOURS: Readonly<Record<string, number>> = {
  minute: 1 / 60,
  min: 1 / 60,
  hour: 1,
  hr: 1,
  h: 1,
  day: WORK_DAY_HOURS,
  week: WORK_WEEK_HOURS,
  month: WORK_MONTH_HOURS,
};

const NUMBERS: Readonly<Record<string, number>> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  half: 0.5,
};

const AMOUNT = `(\\d{1,4}(?:\\.\\d{1,2})?|${Object.keys(NUMBERS).join('|')})`;
const UNIT = '(minute|min|hour|hr|h|day|week|month)s?';
/** "takes 2 days", "(3 hours)", "for 30 minutes", "estimate: 1 week"; and not "within 2 days", which is a limit. */
const DURATION = new RegExp(
  `(?:\\(|\\btakes?\\s+|\\btaking\\s+|\\bfor\\s+|\\bestimated? (?:at|of)\\s+|\\bestimate:?\\s+|\\b(?:about|around|roughly|~)\\s*)(?:about |around |roughly |~ ?)?${AMOUNT}[\\s-]?${UNIT}\\b`,
  'i',
);

/** Undefined: the text states none. */
export function statedHours(text: string): number | undefined {
  const [, amount = '', unit = ''] = DURATION.exec(text) ?? [];
  const number = NUMBERS[amount.toLowerCase()] ?? Number(amount);
  const hours = number * (HOURS[unit.toLowerCase()] ?? 0);
  return hours > 0 ? hours : undefined;
}
