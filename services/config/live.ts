// Marks a setting, or a group, that a reload (SIGHUP) applies. Settings without the mark need a restart.

export const LIVE = { live: true } as const;

/** For a setting inside a LIVE group that needs a restart. */
export const RESTART = { live: false } as const;
