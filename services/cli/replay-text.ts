// Formats a replayed dispute for people: the engines' answers then and now, which agree, and the first difference of
// the others.
import { hex64 } from '../core/hex.ts';
import { readStateHeader } from '../core/session-state.ts';
import type { ReplayDifference, ReplayInputResponse, ReplayedEngine } from '../generated/tandem/v1/engines.ts';
import type { DisputeRecord } from './replay-records.ts';
import { table } from './table.ts';

const HEAD = ['ENGINE', 'GROUP', 'THEN', 'NOW', 'READOUT', 'BUILD'];
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `state`: the initial state of the run; empty: step 0. */
export function describeReplay(
  record: DisputeRecord,
  number: number,
  response: ReplayInputResponse,
  state: Uint8Array = new Uint8Array(0),
): string {
  const groups = groupsOf(response.engines);
  const { model, model_version, strategy, verdict, time, request_id, trace_id } = record;
  const rows = response.engines.map((engine) => row(engine, groups, record));
  const gone = record.ballots.filter(({ engine }) => !response.engines.some(({ engineId }) => engineId === engine));
  const header = readStateHeader(state);
  return [
    `record ${number}, ${time}: ${model}/${model_version}, ${strategy} came to ${verdict}` +
      (request_id === '' ? '' : ` (request ${request_id})`) +
      (trace_id === undefined ? '' : ` (trace ${trace_id})`),
    ...(header === undefined ? [] : [`a message of a session: the run goes on from step ${header.steps}`]),
    ...(record.model_id === hex64(response.modelId)
      ? []
      : [`the weights or run settings have changed: model id ${hex64(response.modelId)}, then ${record.model_id}`]),
    '',
    table(HEAD, rows),
    ...gone.map(({ engine, state_digest }) => `${engine}: no longer in the pool; then ${state_digest || 'absent'}`),
    ...response.engines.flatMap(({ engineId, error }) => (error === '' ? [] : [`${engineId}: ${error}`])),
    '',
    ...recorded(record),
    ...agreement(groups),
    ...passedFault(groups, record),
    ...response.differences.flatMap((difference) => ['', ...describeDifference(difference)]),
  ].join('\n');
}

/** Engines grouped by equal digest, largest group first. */
function groupsOf(engines: readonly ReplayedEngine[]): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const { engineId, stateDigest, readoutDigest } of engines) {
    if (stateDigest === 0n && readoutDigest === 0n) continue;
    const key = `${stateDigest} ${readoutDigest}`;
    groups.set(key, [...(groups.get(key) ?? []), engineId]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

function row(engine: ReplayedEngine, groups: readonly (readonly string[])[], { ballots }: DisputeRecord): string[] {
  const { engineId, stateDigest, readoutDigest, build } = engine;
  const group = groups.findIndex((ids) => ids.includes(engineId));
  const ballot = ballots.find((each) => each.engine === engineId);
  return [
    engineId,
    group < 0 ? '-' : (LETTERS[group] ?? String(group + 1)),
    ballot === undefined ? 'not asked' : ballot.state_digest || ballot.why || 'absent',
    group < 0 ? '-' : hex64(stateDigest),
    group < 0 ? '-' : hex64(readoutDigest),
    build || '-',
  ];
}

function agreement([largest, ...others]: readonly (readonly string[])[]): string[] {
  if (largest === undefined) return ['No engine answered.'];
  if (others.length === 0) {
    return largest.length === 1
      ? [`Only ${largest[0]} answered.`]
      : [`All ${largest.length} engines that answered agree, to the bit.`];
  }
  const named = [largest, ...others].map((ids, at) => `${LETTERS[at] ?? at + 1}: ${ids.join(', ')}`);
  return [`The engines differ. ${named.join('; ')}.`];
}

/** The difference that was found at the time of the dispute. */
function recorded({ differences }: DisputeRecord): string[] {
  if (differences.length === 0) return [];
  return [
    'At the time of the dispute, according to the engines’ recordings of the run:',
    ...differences.map(({ text }) => `  ${text}`),
    '',
  ];
}

/** A temporary fault is not found by running the input again. */
function passedFault(
  [largest = [], ...others]: readonly (readonly string[])[],
  { differences }: DisputeRecord,
): string[] {
  const isLocated = differences.some(({ reference }) => reference !== '');
  if (others.length > 0 || largest.length < 2 || !isLocated) return [];
  return ['The fault did not occur again. Its location at the time of the dispute is above.'];
}

function describeDifference(difference: ReplayDifference): string[] {
  const { engineId, referenceEngineId, step, node, element, quantity, valueBits, referenceBits } = difference;
  const width = Math.max(engineId.length, referenceEngineId.length);
  const line = (id: string, bits: number): string => {
    return `  ${id.padEnd(width)}  ${bits.toString(16).padStart(8, '0')}  ${decimal(bits)}`;
  };
  return [
    `${engineId} differs from ${referenceEngineId} first at step ${step}, node "${node}", neuron ${element}, in its ${quantity}:`,
    line(engineId, valueBits),
    line(referenceEngineId, referenceBits),
  ];
}

/** The shortest decimal number that converts to these binary32 bits. */
export function decimal(bits: number): string {
  const [value = 0] = new Float32Array(Uint32Array.of(bits).buffer);
  if (Object.is(value, -0)) return '-0';
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
