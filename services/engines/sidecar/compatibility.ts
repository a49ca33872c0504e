// Checks whether this router and an engine of another build are compatible. An incompatible engine is refused at
// Describe, and its state gives the reason.

export interface Versions {
  /**
   * Version of proto/NUMERICS.md. Different versions compute different bits, so engines could never agree in a vote.
   */
  readonly numerics: number;
  /** Newest and oldest supported version of proto/tandem/engine/v1/engine.proto; 0: 1. */
  readonly protocol: number;
  readonly oldestProtocol: number;
}

export const OURS: Versions = { numerics: 1, protocol: 1, oldestProtocol: 1 };

/** One line with both versions and what to upgrade; undefined: compatible. */
export function whyIncompatible(id: string, theirs: Versions, ours: Versions = OURS): string | undefined {
  const upgrade = (isOlder: boolean): string => (isOlder ? 'upgrade the engine' : 'upgrade the router');
  if (theirs.numerics !== ours.numerics) {
    const advice = upgrade(theirs.numerics < ours.numerics);
    return `${id} implements numerics version ${theirs.numerics}, this router ${ours.numerics}: ${advice}`;
  }
  const newest = theirs.protocol || 1;
  const oldest = theirs.oldestProtocol || 1;
  if (newest >= ours.oldestProtocol && oldest <= ours.protocol) return undefined;
  const advice = upgrade(newest < ours.oldestProtocol);
  const [engine, router] = [range(oldest, newest), range(ours.oldestProtocol, ours.protocol)];
  return `${id} speaks protocol version ${engine}, this router ${router}: ${advice}`;
}

function range(oldest: number, newest: number): string {
  return oldest === newest ? `${newest}` : `${oldest} to ${newest}`;
}
