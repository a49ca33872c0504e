// Failover: asks the engines of a plan one after the other until one answers. attempt-plan.ts decides which engine is
// next and how failures count.
//
// A late engine gets a backup (Dean and Barroso, "The tail at scale", 2013): another engine, which usually answers sooner
// and answers now, gets the same request. The first answer counts. So one engine behind a bad link, or in a pause, delays
// few requests. The late attempt is not cancelled: its end shows whether the engine is to blame.
//
// An engine that answers other requests is not late: then this input takes long, and would on any engine. Without this
// rule, heavy inputs would be computed two or three times.
import { isOver } from '../../core/call.ts';
import type { RouterError } from '../../core/errors.ts';
import type { Inference } from '../../core/inference.ts';
import { type EngineClient, attempt } from '../attempt.ts';
import { AttemptPlan, type NextAttempt } from '../attempt-plan.ts';
import type { Executor } from '../executor.ts';
import type { Watched } from '../late-attempts.ts';
import { FirstAnswer } from './first-answer.ts';

/** No engine is late before, milliseconds: a healthy process is interrupted this long. */
export const MIN_LATE_MS = 10;
/** Time to the next check, as a share of the time that has passed. */
const CHECK_AGAIN = 0.25;

export const failover: Executor = (execution) =>
  new Promise((resolve, reject) => new Failover(new AttemptPlan(execution), resolve, reject).start());

export class Failover<E extends EngineClient> extends FirstAnswer<E> implements Watched {
  checkMs = Infinity;
  /** The newest attempt. */
  #newest: NextAttempt<E> | undefined;
  #backup: NextAttempt<E> | undefined;

  check(nowMs: number): void {
    const { plan } = this;
    const { engine, startedMs } = this.#newest!;
    const elapsedMs = nowMs - startedMs;
    this.checkMs = nowMs + elapsedMs * CHECK_AGAIN;
    const { context, input, options } = plan.request;
    const { lateAttempts, observer } = options;
    if (isOver(context) || !lateAttempts.mayBackUp || !engine.isSilent(input, elapsedMs)) return;
    const backup = plan.backup(elapsedMs);
    if (backup === undefined) return;
    lateAttempts.backupBegins();
    observer.engineLate(engine.id);
    this.#backup = backup;
    this.ask(backup);
  }

  protected begins(attempt: NextAttempt<E>): void {
    const isFirst = this.#newest === undefined;
    this.#newest = attempt;
    this.checkMs = attempt.startedMs + MIN_LATE_MS;
    if (isFirst && this.plan.hasOthers) this.plan.request.options.lateAttempts.watch(this);
  }

  protected override ends(_error?: RouterError, answered?: NextAttempt<E>): void {
    super.ends();
    if (this.#backup !== undefined && answered === this.#backup) this.plan.request.options.lateAttempts.backupHelped();
  }

  protected infer({ engine, request, timeoutMs }: NextAttempt<E>): Promise<Inference> {
    return attempt(engine, request, timeoutMs);
  }
}
