// The order of names, for nodes of a network (proto/NUMERICS.md) and for models of a repository.

/** Canonical order: by the names' UTF-8 bytes. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
