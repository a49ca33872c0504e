// Parses values on the command line. The error for an invalid one lists the valid ones.
import { InvalidArgumentError, type Option } from 'commander';

const MAX_TIMEOUT_MS = 3_600_000;

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number, ${least} to ${most}.`);
  };
}

/** One of `names`, in any case. Returns it as it is listed. */
export function oneOf(option: Option, names: readonly string[]): Option {
  const listed = new Map(names.map((name) => [name.toUpperCase(), name]));
  return option.choices(names).argParser((text) => {
    const name = listed.get(text.toUpperCase());
    if (name !== undefined) return name;
    throw new InvalidArgumentError(`Allowed choices are ${names.join(', ')}.`);
  });
}

export const milliseconds = wholeNumber(1, MAX_TIMEOUT_MS);
