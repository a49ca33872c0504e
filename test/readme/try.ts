// How a command, an example or a figure of a page is tried, and what must come of it.

/** What runs meanwhile. */
export type Beside = 'nothing' | 'npm start' | 'docker compose up';

export interface Try {
  /** As it stands on the page; of an example or a figure the first line. */
  readonly what: string;
  readonly beside: Beside;
  /** What is run, where that is not the command itself; `because` says why. */
  readonly runs?: string;
  readonly because?: string;
  /** The file that an example is written to first. */
  readonly file?: string;
  /** It goes on until Ctrl-C, which it gets when it has printed what it must. */
  readonly goesOn?: boolean;
  readonly prints: RegExp | ((text: string) => RegExp);
}

/** Matches a text that contains these lines. */
export const exactly = (text: string): RegExp => new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm');

/** A command that prints what an address answers. */
export const get = (url: string): string => `npx node -e 'fetch("${url}").then((got) => got.text()).then(console.log)'`;

/** A command that takes minutes: only its help is read. */
export const explained = (what: string, separator = ' --'): Try => ({
  what,
  beside: 'nothing',
  runs: `${what}${separator} --help`,
  because: 'it takes minutes',
  prints: /^(?:Examples?: |Usage: )/m,
});
