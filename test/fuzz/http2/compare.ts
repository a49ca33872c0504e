// Runs the same sequences on both servers, and compares the outcomes.
import { setImmediate as turn } from 'node:timers/promises';
import type { Outcome } from './outcome.ts';
import { sequenceOf } from './sequence.ts';
import { type Subject, nodes, ours } from './servers.ts';

export interface Difference {
  readonly seed: number;
  /** The same for differences of one kind: numbers are left out of its texts. */
  readonly kind: string;
}

/** Silent turns of the event loop after which a server has finished. */
const QUIET_TURNS = 12;

/** PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR. */
const RULE_BROKEN = new Set([1, 3, 5, 6, 9]);

/** Sequences of seeds `first` to `first + count - 1`, all at the same time. */
export async function compareSeeds(first: number, count: number): Promise<Difference[]> {
  const pairs = Array.from({ length: count }, () => [ours(), nodes()] as const);
  for (const [at, pair] of pairs.entries()) {
    const bytes = sequenceOf(first + at);
    for (const subject of pair) subject.take(Buffer.from(bytes));
  }
  await untilQuiet(pairs.flat());
  const differences: Difference[] = [];
  for (const [at, [our, node]] of pairs.entries()) {
    const kind = differenceOf(our.reader.outcome, node.reader.outcome);
    if (kind !== undefined) differences.push({ seed: first + at, kind });
    our.end();
    node.end();
  }
  await turn();
  return differences;
}

async function untilQuiet(subjects: readonly Subject[]): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
    await turn();
    for (const { reader } of subjects) {
      if (reader.hasNews) quiet = 0;
      reader.hasNews = false;
    }
  }
}

/** Undefined: none that matters. The answers before a connection error depend on timing. */
export function differenceOf(our: Outcome, node: Outcome): string | undefined {
  if (our.connection !== node.connection || classOf(our) !== classOf(node)) {
    return `ours ${tell(our)}; Node’s ${tell(node)}`;
  }
  if (our.connection === 'closed') return undefined;
  const ids = new Set([...our.streams.keys(), ...node.streams.keys()]);
  for (const id of ids) {
    const [a, b] = [our.streams.get(id) ?? 'silent', node.streams.get(id) ?? 'silent'];
    if (a !== b) return `stream: ours ${a}; Node’s ${b}`;
  }
  return undefined;
}

/** A sequence may break several rules, and servers may find another one first. */
function classOf({ connection, code }: Outcome): string {
  if (connection !== 'closed') return '';
  return code === undefined || RULE_BROKEN.has(code) ? 'a rule is broken' : String(code);
}

function tell({ connection, code, text }: Outcome): string {
  if (connection !== 'closed') return connection;
  const why = text.replaceAll(/\d+/g, 'N').replaceAll(/"[^"]*"/g, '"…"');
  return `closed (${code ?? 'no GOAWAY'}${why === '' ? '' : `: ${why}`})`;
}
