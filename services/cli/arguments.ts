// Numbers on the command line: a wrong one is refused with what may be given.
import { InvalidArgumentError } from 'commander';

const MAX_TIMEOUT_MS = 3_600_000;

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number, ${least} to ${most}.`);
  };
}

export const milliseconds = wholeNumber(1, MAX_TIMEOUT_MS);
