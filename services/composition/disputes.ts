// Handles a dispute. At once: the dashboard shows it, and engines contradicted by a majority are judged. Once the first
// difference is known, or known to be unknown: the log and a file record it, and subscribers get an event. A failure in
// one of these affects neither the others nor the request.
import type { Settings } from '../config/schema.ts';
import { hex64 } from '../core/hex.ts';
import { DisputeList } from '../dashboard/dispute-list.ts';
import type { DifferenceView, DisputeView } from '../dashboard/sources.ts';
import type { ModelPins } from '../engines/model-pins.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { Quarantine } from '../engines/quarantine.ts';
import type { Dispute } from '../routing/dispute.ts';
import { Locator, type RecordedDifference } from '../routing/locate.ts';
import { DisputeLog } from '../telemetry/dispute-log.ts';
import type { DisputeDifference, Dispute as DisputeRecord } from '../telemetry/dispute-record.ts';
import type { Log } from '../telemetry/log.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';

const NO_BYTES = new Uint8Array(0);

type Unlocated = Omit<DisputeRecord, 'differences'>;

interface DisputeParts {
  readonly pool: EnginePool;
  readonly quarantine: Quarantine;
  readonly system: SystemEvents;
  readonly pins: ModelPins;
}

export class Disputes {
  readonly recent = new DisputeList();
  readonly #parts: DisputeParts;
  readonly #locator: Locator;
  readonly #log: Log;
  /** Undefined: disputes are not recorded. */
  readonly #file: DisputeLog | undefined;
  #count = 0;
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: DisputeParts, { disputes }: Pick<Settings, 'disputes'>, log: Log) {
    this.#parts = parts;
    this.#log = log;
    const { pool, pins } = parts;
    this.#locator = new Locator({ engines: () => pool.engines.map(({ engine }) => engine), pins });
    const { file, max_bytes: maxBytes, files, input } = disputes;
    const onProblem = (err: unknown): void => log.error({ err }, 'dispute log');
    this.#file = file === '' ? undefined : new DisputeLog({ file, maxBytes, files, input, onProblem });
  }

  add(dispute: Dispute): void {
    const { wrong, verdict, ballots, span } = dispute;
    const view = this.#toView(dispute);
    const facts = { 'tandem.verdict': verdict, 'tandem.wrong': wrong.join(' '), 'tandem.ballots': digests(ballots) };
    this.#guard(() => this.recent.add(view));
    this.#guard(() => span?.trace.event('dispute', facts));
    this.#guard(() => this.#judge(dispute));
    this.#guard(() => {
      const own = this.#withOwnInput(dispute);
      // The dashboard cannot replay a message of a session; "npx tandem replay" can, with its state.
      if ((dispute.input.state?.length ?? 0) === 0) this.recent.keepInput(view.id, own.input);
      const work = this.#locateAndTell(own, view, this.#toRecord(own, view));
      this.#underWay.add(work);
      void work.finally(() => this.#underWay.delete(work));
    });
  }

  #guard(consequence: () => void): void {
    try {
      consequence();
    } catch (err) {
      this.#log.error({ err }, 'dispute');
    }
  }

  async stop(): Promise<void> {
    this.#locator.stop();
    await Promise.all(this.#underWay);
    await this.#file?.stop();
  }

  async #locateAndTell(dispute: Dispute, view: DisputeView, record: Unlocated): Promise<void> {
    try {
      const differences = await this.#locator.locate(dispute);
      this.recent.replace(view, { ...view, differences: differences.map(toDifferenceView) });
      const compared = differences.filter(({ reference }) => reference !== '');
      const trace = dispute.span?.trace;
      if (compared.length > 0) trace?.event('dispute located', { 'tandem.difference': sentence(compared) });
      this.#file?.record({ ...record, differences: differences.map(toRecordedDifference) }, view.timeMs);
      this.#tell(dispute, differences);
    } catch (err) {
      this.#log.error({ err }, 'dispute'); // a bug of the router, which must not end it
    }
  }

  #tell({ input, wrong, verdict, ballots, span }: Dispute, differences: readonly RecordedDifference[]): void {
    const { model, version } = input;
    const data = { model, version, verdict, wrong: wrong.join(' '), ballots: digests(ballots) };
    const text = differences.length === 0 ? 'dispute' : `dispute: ${sentence(differences)}`;
    this.#parts.system.tell('dispute', 'WARNING', text, data, span?.trace.traceId);
  }

  #toRecord({ input, strategy, verdict, ballots }: Dispute, { traceId }: DisputeView): Unlocated {
    const { model, version, shape, data, state = NO_BYTES } = input;
    return {
      ...{ requestId: '', traceId, strategy, verdict, model, version, shape, data, state },
      modelId: this.#parts.pool.served(model, version)?.model.modelId ?? 0n,
      ballots: ballots.map((cast) => ({ ...cast, build: this.#buildOf(cast.engineId) })),
    };
  }

  /**
   * Copied: input and state are views that would keep whole messages in memory. The input is kept for the dashboard;
   * the state is only needed for the file.
   */
  #withOwnInput({ input, ...rest }: Dispute): Dispute {
    const { data, state = NO_BYTES } = input;
    const ownState = this.#file === undefined ? NO_BYTES : Uint8Array.from(state);
    return { ...rest, input: { ...input, data: Uint8Array.from(data), state: ownState } };
  }

  /** If it is unknown which engine is wrong, all engines that contradicted another one are suspects. */
  #judge({ input, wrong, right, ballots, span }: Dispute): void {
    const { pool, quarantine } = this.#parts;
    for (const { engineId, outcome } of ballots) {
      const engine = pool.engines.find(({ id }) => id === engineId);
      if (engine === undefined) continue;
      if (wrong.length === 0 && outcome === 'DISSENTED') quarantine.suspect(engine);
      if (!wrong.includes(engineId)) continue;
      const wasTrusted = engine.quarantine === '';
      quarantine.dissented(engine, right && { input, ...right });
      if (wasTrusted && engine.quarantine !== '') span?.trace.event('quarantine', { 'tandem.engine': engineId });
    }
  }

  #toView({ input, strategy, verdict, wrong, ballots, span }: Dispute): DisputeView {
    const hex = (digest: bigint | undefined): string => (digest === undefined ? '' : hex64(digest));
    this.#count += 1;
    return {
      id: String(this.#count),
      timeMs: Date.now(),
      traceId: span?.trace.traceId ?? '',
      ...{ model: input.model, version: input.version, strategy, verdict, wrong },
      ballots: ballots.map(({ engineId, stateDigest, readoutDigest, outcome, why, durationMs }) => ({
        ...{ engineId, outcome, why, durationMs },
        build: this.#buildOf(engineId),
        stateDigest: hex(stateDigest),
        readoutDigest: hex(readoutDigest),
      })),
      differences: [],
    };
  }

  #buildOf(engineId: string): string {
    return this.#parts.pool.engines.find(({ id }) => id === engineId)?.build ?? '';
  }
}

/** Example: "engine-1 0123456789abcdef, engine-2 ENGINE_LOST". */
function digests(ballots: Dispute['ballots']): string {
  return ballots
    .map(({ engineId, stateDigest, why }) => `${engineId} ${stateDigest === undefined ? why : hex64(stateDigest)}`)
    .join(', ');
}

function sentence(differences: readonly RecordedDifference[]): string {
  return differences.map(({ text }) => text).join('; ');
}

function toRecordedDifference({ engine, reference, comparison, text }: RecordedDifference): DisputeDifference {
  return { engine, reference, state: comparison?.state, spike: comparison?.spike, text };
}

function toDifferenceView({ engine, reference, text, raster }: RecordedDifference): DifferenceView {
  const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  if (raster === undefined) return { engine, reference, text, raster };
  const { spikes, referenceSpikes, ...rest } = raster;
  const bits = { spikes: toBase64(spikes), referenceSpikes: toBase64(referenceSpikes) };
  return { engine, reference, text, raster: { ...rest, ...bits } };
}
