// The one order of names: of nodes in a network (proto/NUMERICS.md) and of models in a repository.

/** Canonical order: by the names' UTF-8 bytes. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
