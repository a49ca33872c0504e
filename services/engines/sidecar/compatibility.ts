// Whether this router and an engine of another build can work together. An engine that cannot is refused at Describe, and
// says why in its state.

export interface Versions {
  /** Of proto/NUMERICS.md. Two of them compute different bits, so that they could never agree in a vote. */
  readonly numerics: number;
  /** Of proto/tandem/engine/v1/engine.proto, the newest and the oldest that is spoken; 0: 1. */
  readonly protocol: number;
  readonly oldestProtocol: number;
}

export const OURS: Versions = { numerics: 1, protocol: 1, oldestProtocol: 1 };

/** One line that says who has what, and what to upgrade; undefined: they can. */
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
