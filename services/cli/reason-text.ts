// Formats an answer for people: the label, its confidence, and how it was computed.
import { hex64 } from '../core/hex.ts';
import type { Ballot, Cost, ReasonResponse, SessionStatus } from '../generated/tandem/v1/reasoning.ts';
import { ballotOutcomeToJSON, cacheStatusToJSON, gradeToJSON } from '../generated/tandem/v1/types.ts';
import { describeLayers } from './layers-text.ts';
import { tiny } from './metrics-format.ts';
import { table } from './table.ts';
import { bare, plain } from './words.ts';

const SHOWN_LABELS = 5;
const BAR_CELLS = 24;
const BALLOT_HEAD = ['BALLOT', 'OUTCOME', 'DIGEST', 'MS', 'WHY'];

const CACHE_MEANINGS: Readonly<Record<string, string>> = {
  HIT: 'answered before',
  MISS: 'computed, and kept',
  COALESCED: 'computed for an equal request',
  STALE: 'an older answer, because no engine could answer',
  BYPASSED: 'computed beside it',
};

const GRADE_MEANINGS: Readonly<Record<string, string>> = {
  UNANIMOUS: 'every engine that voted agreed',
  MAJORITY: 'more than half agreed',
  PLURALITY: 'the largest group, not more than half',
  SINGLE: 'one engine was asked',
  STALE: 'not checked anew',
};

/** `width`: maximum width of the layers' pictures, cells. */
export function describeResponse(
  response: ReasonResponse,
  labels: readonly string[],
  text: string,
  width = 120,
): string {
  const name = (index: number): string => labels[index] ?? `output ${index}`;
  const { timing, vote, cost } = response;
  return [
    ...(text ? [`“${text}”`, ''] : []),
    `${name(response.labelIndex)}, confidence ${(response.confidence * 100).toFixed(1)} %`,
    '',
    ...bestScores(response, name),
    '',
    `model ${response.model}/${response.modelVersion} · engine ${response.engine?.engineId ?? '?'} · ${response.steps} steps · ` +
      `${response.totalSpikes} spikes · ${response.synapticOperations} synaptic operations · digest ${hex64(response.stateDigest)}`,
    `${explained('cache', bare(cacheStatusToJSON(response.cache), 'CACHE_STATUS_'), CACHE_MEANINGS)} · ` +
      explained('grade', bare(gradeToJSON(response.grade), 'GRADE_'), GRADE_MEANINGS),
    `${response.processingTimeMs.toFixed(2)} ms in the router, including ` +
      `${milliseconds(timing?.engineUs ?? 0)} ms at the engine and ${milliseconds(timing?.computeUs ?? 0)} ms simulating`,
    ...(cost && cost.inferences > 0 ? [describeCost(cost)] : []),
    ...(response.traceId ? [`trace ${response.traceId}`] : []),
    ...(response.session ? [describeSession(response.session)] : []),
    ...(vote ? ['', table(BALLOT_HEAD, vote.ballots.map(ballotRow))] : []),
    ...describeLayers(response.layers, response.steps, width),
  ].join('\n');
}

function describeSession({ id, step, opened, state }: SessionStatus): string {
  const kept = state.length === 0 ? '' : `, state of ${state.length} bytes`;
  return `session ${id} ${opened ? 'opened, ' : ''}at step ${step}${kept}; all figures but the cost are of the whole session`;
}

function describeCost({ inferences, computeUs, synapticOperations, energyJ }: Cost): string {
  const engines = inferences === 1 ? '' : ` of ${inferences} engines`;
  return (
    `cost ${tiny(computeUs / 1e6, 's')}${engines} and ${synapticOperations} synaptic operations: ` +
    `about ${tiny(energyJ, 'J')} on a neuromorphic-style circuit (0.9 pJ each, 45 nm; not this CPU)`
  );
}

function bestScores(response: ReasonResponse, name: (index: number) => string): string[] {
  const { spikeCounts, potentials } = response;
  // For a readout that does not fire, potentials say more than spikes.
  const hasSpikes = spikeCounts.some((count) => count > 0);
  return response.scores
    .map((score, index) => ({ score, index }))
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN_LABELS)
    .map(({ score, index }) => {
      const bar = '█'.repeat(Math.round(score * BAR_CELLS)).padEnd(BAR_CELLS);
      const value = hasSpikes
        ? `${spikeCounts[index] ?? 0} spikes`
        : `potential ${Number((potentials[index] ?? 0).toPrecision(4))}`;
      return `  ${name(index).padEnd(20)} ${(score * 100).toFixed(1).padStart(5)} %  ${bar}  ${value}`;
    });
}

function explained(what: string, value: string, meanings: Readonly<Record<string, string>>): string {
  const meaning = meanings[value];
  return meaning === undefined ? `${what} ${value}` : `${what} ${value} (${meaning})`;
}

function ballotRow(ballot: Ballot): string[] {
  return [
    ballot.engineId,
    plain(ballotOutcomeToJSON(ballot.outcome), 'BALLOT_OUTCOME_'),
    ballot.stateDigest === 0n ? '-' : hex64(ballot.stateDigest),
    milliseconds(ballot.durationUs),
    ballot.why || '-',
  ];
}

function milliseconds(us: number): string {
  return (us / 1_000).toFixed(2);
}
