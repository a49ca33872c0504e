// Whether a setting, or a group of them, takes effect when the router reads its settings again (SIGHUP). What is not
// marked needs a restart.

export const LIVE = { live: true } as const;

/** Of a setting within a group that is LIVE. */
export const RESTART = { live: false } as const;
