import { shareFirst } from './share-first.ts';
import { type Strategy, ofKind } from './strategy.ts';

/** The sidecars get `sidecarFirstShare` of the requests, in turn and spread evenly; the local engine gets the rest. */
export const sidecarFirst: Strategy = ({ engines, turn, sidecarFirstShare }) =>
  shareFirst(ofKind(engines, 'sidecar'), ofKind(engines, 'local'), sidecarFirstShare, turn);
