// Exit codes of the command-line client. They say who must act: the user, the router or the machine.

export const REFUSED = 1;
export const USAGE = 2;
export const UNREACHABLE = 3;
/** The value that shells use for a program ended by SIGINT. */
export const INTERRUPTED = 130;

/** For --help. */
export const EXIT_CODES =
  '0 answered · 1 refused or failed · 2 wrong usage or settings · 3 no router at the address · 130 interrupted';
