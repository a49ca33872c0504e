// Exit codes of the command-line client: they say who has to act, the user, the router or the machine.

export const REFUSED = 1;
export const USAGE = 2;
export const UNREACHABLE = 3;
/** As shells have it for a program that SIGINT ended. */
export const INTERRUPTED = 130;

/** For --help. */
export const EXIT_CODES =
  '0 answered · 1 refused or failed · 2 wrong usage or settings · 3 no router at the address · 130 interrupted';
