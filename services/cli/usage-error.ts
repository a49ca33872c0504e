/** An invalid argument that only the command can detect. */
export class UsageError extends Error {}
