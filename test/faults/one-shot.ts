// One engine of three computes with 1 to 8 flipped bits of state or weights, which are right again after the run. Its log
// says where each run first differed from a clean one; the records of the disputes must say the same.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DisputeFile, type DisputeRecord, type RecordedDifference } from '../support/dispute-file.ts';
import { type Heard, NEVER_OUT, ask, judged, total, whileReadmitted } from './judging.ts';
import type { Scenario } from './scenario.ts';

const FAULTS = 2_000;
const IN_FLIGHT = 4;
const ROUNDS = 10;
/**
 * A vote waits half as long again for the last ballot. The faulty engine computes every run twice, and must not be
 * late.
 */
const HONEST_DELAY_MS = 4;

interface Place {
  readonly step: number;
  readonly node: string;
}

/** A line of the faulty engine's log (sidecar-cpp/faults/one_shot.h). */
interface LoggedFault {
  /** Of the faulty run; empty: it failed. */
  readonly state_digest: string;
  readonly error: string;
  readonly first_difference: Place | null;
  readonly first_spike: (Place & { readonly neuron: number }) | null;
}

interface Compared {
  /** Disputes whose recordings were compared. */
  readonly located: number;
  readonly right: number;
  /** Runs with a changed spike, and those of them in which the neuron is named. */
  readonly spikes: number;
  readonly neurons: number;
  readonly unlocated: readonly string[];
  readonly mistakes: readonly string[];
}

export const oneShot: Scenario = {
  name: 'one-shot',
  fault: 'one engine of three with 1 to 8 bits flipped during one run, and right again after it',
  settings: { strategy: 'REDUNDANT', vote: { audit_rate: 0.05 } },
  bar: '0 wrong, 0 failed; the first step and node that differ right in 100 %; the neuron wherever a spike changed',
  async run(stage) {
    const truths = await stage.truths();
    const log = join(mkdtempSync(join(tmpdir(), 'tandem-faults-')), 'faults.jsonl');
    const [faulty] = await stage.faulty('oneshot=1', { log });
    const honest = await stage.sidecars(2);
    const links = await Promise.all(honest.map((sidecar) => stage.link(sidecar)));
    for (const link of links) link.delayMs = HONEST_DELAY_MS;
    const disputes = new DisputeFile();
    const router = await stage.router({ ...this.settings, ...NEVER_OUT, disputes: disputes.settings }, [
      faulty!,
      ...links,
    ]);
    const wanted = stage.options.count ?? FAULTS;
    let votes: Heard = { requests: 0, wrong: 0, failed: {} };
    let faults: LoggedFault[] = [];
    await whileReadmitted(router, async () => {
      // Some runs are cancelled because their votes are decided; these are not in the log.
      for (let round = 0; round < ROUNDS && faults.length < wanted; round += 1) {
        const count = wanted - faults.length;
        votes = added(votes, judged(await ask(stage, router, 'REDUNDANT', count, IN_FLIGHT), truths));
        faults = linesOf(log);
        stage.progress(`${faults.length} of ${wanted} faults`);
      }
    });
    await router.stop(); // every record is written
    const different = faults.filter(({ first_difference }) => first_difference !== null);
    const records = disputes.against('engine-1');
    const compared = compare(records, different);
    const failed = total(Object.values(votes.failed));
    const { located, right, spikes, neurons, unlocated, mistakes } = compared;
    return {
      figures: { votes, faults: faults.length, different: different.length, records: records.length, ...compared },
      measured:
        `${votes.wrong} wrong and ${failed} failed of ${votes.requests}; ${faults.length} faults, ${different.length} with ` +
        `a difference, ${records.length} disputes; first difference right in ${right} of ${located}, ` +
        `neuron named in ${neurons} of ${spikes}` +
        (unlocated.length > 0 ? `; ${unlocated.length} not located: ${unlocated[0]}` : ''),
      passed:
        votes.wrong === 0 &&
        failed === 0 &&
        located > 0 &&
        mistakes.length === 0 &&
        unlocated.length === 0 &&
        // Late ballots are not dissents; there must not be many.
        records.length >= 0.95 * different.length,
      missed: faults.length < wanted ? [`${faults.length} of ${wanted} faults`] : [],
    };
  },
};

function added(a: Heard, b: Heard): Heard {
  const failed = { ...a.failed };
  for (const [name, count] of Object.entries(b.failed)) failed[name] = (failed[name] ?? 0) + count;
  return { requests: a.requests + b.requests, wrong: a.wrong + b.wrong, failed };
}

function linesOf(log: string): LoggedFault[] {
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LoggedFault);
}

/** Compares each record with the log line of the same run: the one with its state digest, or with the same failure. */
function compare(records: readonly DisputeRecord[], faults: readonly LoggedFault[]): Compared {
  const byDigest = new Map(faults.map((fault) => [fault.state_digest, fault]));
  const failedRuns = faults.filter(({ state_digest }) => state_digest === '').map(toText);
  const counts = { located: 0, right: 0, spikes: 0, neurons: 0 };
  const unlocated: string[] = [];
  const mistakes: string[] = [];
  for (const { ballots, differences = [] } of records) {
    const difference = differences.find(({ engine }) => engine === 'engine-1');
    if (difference === undefined || difference.reference === '') {
      unlocated.push(difference?.text ?? 'the record has no difference');
      continue;
    }
    counts.located += 1;
    const { state_digest: digest, why } = ballots.find(({ engine }) => engine === 'engine-1')!;
    const said = recordedText(difference, why);
    const fault = byDigest.get(digest);
    if (digest === '' || fault === undefined) {
      const at = failedRuns.indexOf(said);
      if (at < 0) mistakes.push(`${said}, and no failed run of the log says so`);
      else failedRuns.splice(at, 1);
      counts.right += at < 0 ? 0 : 1;
      continue;
    }
    const { first_spike: spike } = fault;
    const isNeuron = spike !== null && difference.spike_neuron === spike.neuron && difference.spike_step === spike.step;
    counts.spikes += spike === null ? 0 : 1;
    counts.neurons += isNeuron ? 1 : 0;
    if (said === toText(fault)) counts.right += 1;
    else mistakes.push(`${said}, and the log has ${toText(fault)}`);
  }
  return { ...counts, unlocated, mistakes };
}

function toText({ first_difference: first, first_spike: spike }: LoggedFault): string {
  return `${placeText(first?.step, first?.node)}; spike ${placeText(spike?.step, spike?.node, spike?.neuron)}`;
}

/** A run that failed before a recorded difference failed at the place in its refusal: `why`. */
function recordedText(difference: RecordedDifference, why: string): string {
  const { state_step, state_node, spike_step, spike_node, spike_neuron } = difference;
  const refused = /step \d+, node .*/.exec(why)?.[0];
  const state = state_step === undefined && refused !== undefined ? refused : placeText(state_step, state_node);
  return `${state}; spike ${placeText(spike_step, spike_node, spike_neuron)}`;
}

/** "step 3, node lif1, neuron 7"; "none". */
function placeText(step: number | undefined, node: string | undefined, neuron?: number): string {
  if (step === undefined) return 'none';
  return `step ${step}, node ${node}${neuron === undefined ? '' : `, neuron ${neuron}`}`;
}
