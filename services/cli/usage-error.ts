/** A wrong argument that only the command could notice. */
export class UsageError extends Error {}
