// How a command, an example or a figure of a page is tried, with the expected result.

/** The programs that run meanwhile. */
export type Beside = 'nothing' | 'npm start' | 'docker compose up';

export interface Try {
  /** The text on the page; for an example or a figure the first line. */
  readonly what: string;
  readonly beside: Beside;
  /** The command to run instead of the text; `because` gives the reason. */
  readonly runs?: string;
  readonly because?: string;
  /** The file that an example is written to first. */
  readonly file?: string;
  /** It runs until Ctrl-C, which it gets after the expected output. */
  readonly goesOn?: boolean;
  readonly prints: RegExp | ((text: string) => RegExp);
}

/** Matches a text that contains these lines. */
export const exactly = (text: string): RegExp => new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm');

/** A command that prints the answer of an address. */
export const get = (url: string): string => `npx node -e 'fetch("${url}").then((got) => got.text()).then(console.log)'`;

/** A command that takes minutes: only its help is run. */
export const explained = (what: string, separator = ' --'): Try => ({
  what,
  beside: 'nothing',
  runs: `${what}${separator} --help`,
  because: 'it takes minutes',
  prints: /^(?:Examples?: |Usage: )/m,
});
