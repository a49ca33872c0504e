// The results of the path's part, as `--json` writes and `--compare` reads them.
import type { Row } from '../row.ts';
import type { Figures } from './measure.ts';
import { BATCH } from './requests.ts';
import { DIRECT, ROUTER } from './stage.ts';

export interface Closed {
  readonly inFlight: number;
  readonly connections: number;
}

export interface Open extends Figures {
  readonly subject: string;
  /** Of the subject's own capacity. */
  readonly share: number;
}

export interface PathFigures {
  readonly processor: string;
  readonly cores: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly closed: readonly (Closed & Figures & { readonly subject: string })[];
  readonly open: readonly Open[];
  readonly others: Readonly<Record<string, Figures>>;
}

const HAPROXY = 'HAProxy';

/** The ratios to compare. */
export function toRows({ closed, open, others }: PathFigures): Row[] {
  const at = (subject: string, inFlight: number, connections = 1): Figures =>
    closed.find((each) => each.subject === subject && each.inFlight === inFlight && each.connections === connections)!;
  const other = (name: string): Figures => others[name]!;
  const row = (what: string, ours: number, peer: number, unit: string, reads: string): Row => ({
    ...{ what, ours, peer, unit, ratio: ours / peer, reads },
  });
  const added = (subject: string): number => at(subject, 1).p50Us - at(DIRECT, 1).p50Us;
  const calls = [64, 8].flatMap((inFlight) =>
    [HAPROXY, 'Envoy', 'nginx', 'grpc-js proxy'].map((peer) => {
      const [ours, theirs] = [at(ROUTER, inFlight).callsPerS, at(peer, inFlight).callsPerS];
      return row(`calls, router vs ${peer}, ${inFlight} in flight`, ours, theirs, 'calls/s', `of ${peer}’s`);
    }),
  );
  const open70 = open.find((each) => each.subject === ROUTER && each.share === 0.7)!;
  const engines = other('both engines alone, InferStream, 64 in flight').callsPerS;
  return [
    ...calls,
    row('CPU a call, 64 in flight', at(ROUTER, 64).cpuUs!, at(HAPROXY, 64).cpuUs!, 'µs', 'of HAProxy’s'),
    row('p99, 64 in flight', at(ROUTER, 64).p99Us, at(HAPROXY, 64).p99Us, 'µs', 'of HAProxy’s'),
    row('p99, 8 in flight', at(ROUTER, 8).p99Us, at(HAPROXY, 8).p99Us, 'µs', 'of HAProxy’s'),
    row('added p50, one at a time', added(ROUTER), added(HAPROXY), 'µs', 'of HAProxy’s'),
    row('p50, one at a time', at(ROUTER, 1).p50Us, other('replaced').p50Us, 'µs', 'of the replaced design’s'),
    row(
      'p50 on ReasonStream, one at a time',
      other('ReasonStream, one at a time').p50Us,
      other('replaced').p50Us,
      'µs',
      'of the replaced design’s',
    ),
    row('p99 at 70 % of capacity, open loop', open70.p99Us, open70.p50Us, 'µs', 'of its p50'),
    row(
      'cache hits, 64 in flight',
      other('cache hit, 64 in flight').callsPerS,
      other('Ping, 64 in flight').callsPerS,
      'calls/s',
      'of Ping’s',
    ),
    row(
      'p50 of a cache hit, one at a time',
      other('cache hit, one at a time').p50Us,
      other('Ping, one at a time').p50Us,
      'µs',
      'of Ping’s',
    ),
    row(
      `items in ReasonBatch of ${BATCH}`,
      other('ReasonBatch of 64, one at a time').callsPerS * BATCH,
      engines,
      'items/s',
      'of the engines’ alone',
    ),
    row(
      'ReasonStream, 64 in flight',
      other('ReasonStream, 64 in flight').callsPerS,
      engines,
      'items/s',
      'of the engines’ alone',
    ),
  ];
}
