// Exit codes of the command-line client. Each shows whose problem it is: the user's, the router's or the machine's.

export const REFUSED = 1;
export const USAGE = 2;
export const UNREACHABLE = 3;
/** The value that shells use for a program ended by SIGINT. */
export const INTERRUPTED = 130;

/** For --help. */
export const EXIT_CODES =
  '0 answered · 1 refused or failed · 2 wrong usage or settings · 3 no router at the address · 130 interrupted';
