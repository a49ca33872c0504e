import { shareFirst } from './share-first.ts';
import { type Strategy, ofKind } from './strategy.ts';

/** The local engine gets `localFirstShare` of the requests, spread evenly; the sidecars share the rest in turn. */
export const localFirst: Strategy = ({ engines, turn, localFirstShare }) =>
  shareFirst(ofKind(engines, 'local'), ofKind(engines, 'sidecar'), localFirstShare, turn);
