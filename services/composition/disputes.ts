// What follows from a dispute: the dashboard shows it, the log and a file record it, subscribers hear of it, and engines
// that a majority contradicts are judged. None of these keeps the others from happening, or hurts the request.
import type { Settings } from '../config/schema.ts';
import { hex64 } from '../core/hex.ts';
import { Recent } from '../dashboard/recent.ts';
import type { DisputeView } from '../dashboard/sources.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { Quarantine } from '../engines/quarantine.ts';
import type { Dispute } from '../routing/dispute.ts';
import { DisputeLog } from '../telemetry/dispute-log.ts';
import type { Log } from '../telemetry/log.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';

/** Kept for the dashboard. */
const MAX_RECENT = 200;

export class Disputes {
  readonly recent = new Recent<DisputeView>(MAX_RECENT);
  readonly #pool: EnginePool;
  readonly #quarantine: Quarantine;
  readonly #system: SystemEvents;
  readonly #log: Log;
  /** Undefined: they are recorded nowhere. */
  readonly #file: DisputeLog | undefined;

  constructor(pool: EnginePool, quarantine: Quarantine, system: SystemEvents, { disputes }: Settings, log: Log) {
    this.#pool = pool;
    this.#quarantine = quarantine;
    this.#system = system;
    this.#log = log;
    const { file, max_bytes: maxBytes, files, input } = disputes;
    const onProblem = (err: unknown): void => log.error({ err }, 'dispute log');
    this.#file = file === '' ? undefined : new DisputeLog({ file, maxBytes, files, input, onProblem });
  }

  add(dispute: Dispute): void {
    this.#guard(() => this.recent.add(this.#toView(dispute)));
    this.#guard(() => this.#record(dispute));
    this.#guard(() => this.#tell(dispute));
    this.#guard(() => this.#judge(dispute));
  }

  #guard(consequence: () => void): void {
    try {
      consequence();
    } catch (err) {
      this.#log.error({ err }, 'dispute');
    }
  }

  #tell({ input, wrong, verdict, ballots, span }: Dispute): void {
    const said = digests(ballots);
    const names = wrong.join(' ');
    span?.trace.event('dispute', { 'tandem.verdict': verdict, 'tandem.wrong': names, 'tandem.ballots': said });
    const told = { model: input.model, version: input.version, verdict, wrong: names, ballots: said };
    this.#system.tell('dispute', 'WARNING', 'dispute', told, span?.trace.traceId);
  }

  async stop(): Promise<void> {
    await this.#file?.stop();
  }

  #record({ input, strategy, verdict, ballots, span }: Dispute): void {
    this.#file?.record({
      ...{ requestId: '', traceId: span?.trace.traceId ?? '', strategy, verdict },
      ...{ model: input.model, version: input.version },
      ...{ shape: input.shape, data: input.data },
      modelId: this.#pool.served(input.model, input.version)?.model.modelId ?? 0n,
      ballots: ballots.map((cast) => ({ ...cast, build: this.#buildOf(cast.engineId) })),
    });
  }

  /** Where nobody knows who is wrong, all that contradicted another are suspects. */
  #judge({ input, wrong, right, ballots, span }: Dispute): void {
    for (const { engineId, outcome } of ballots) {
      const engine = this.#pool.engines.find(({ id }) => id === engineId);
      if (engine === undefined) continue;
      if (wrong.length === 0 && outcome === 'DISSENTED') this.#quarantine.suspect(engine);
      if (!wrong.includes(engineId)) continue;
      const wasTrusted = engine.quarantine === '';
      this.#quarantine.dissented(engine, right && { input, ...right });
      if (wasTrusted && engine.quarantine !== '') span?.trace.event('quarantine', { 'tandem.engine': engineId });
    }
  }

  #toView({ input, strategy, verdict, wrong, ballots, span }: Dispute): DisputeView {
    const hex = (digest: bigint | undefined): string => (digest === undefined ? '' : hex64(digest));
    return {
      timeMs: Date.now(),
      traceId: span?.trace.traceId ?? '',
      ...{ model: input.model, version: input.version, strategy, verdict, wrong },
      ballots: ballots.map(({ engineId, stateDigest, readoutDigest, outcome, why, durationMs }) => ({
        ...{ engineId, outcome, why, durationMs },
        build: this.#buildOf(engineId),
        stateDigest: hex(stateDigest),
        readoutDigest: hex(readoutDigest),
      })),
    };
  }

  #buildOf(engineId: string): string {
    return this.#pool.engines.find(({ id }) => id === engineId)?.build ?? '';
  }
}

/** Example: "engine-1 0123456789abcdef, engine-2 ENGINE_LOST". */
function digests(ballots: Dispute['ballots']): string {
  return ballots
    .map(({ engineId, stateDigest, why }) => `${engineId} ${stateDigest === undefined ? why : hex64(stateDigest)}`)
    .join(', ');
}
