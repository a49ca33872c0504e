// Admit: if no engine has a free slot, the request waits for its turn or is refused at once. See admission.ts.
import type { EnginePool } from '../../engines/pool.ts';
import type { ModelVersion } from '../../models/repository.ts';
import { freeSlots } from '../admission.ts';
import type { Stage } from '../stage.ts';

/**
 * Number of requests for a model that could be sent now. One function per model, because waiting requests refer to it.
 */
export type FreeOf = (model: ModelVersion) => () => number;

export function freeOf(pool: EnginePool): FreeOf {
  const counts = new WeakMap<ModelVersion, () => number>();
  return (model) => {
    const known = counts.get(model);
    if (known !== undefined) return known;
    const { heldAs, version } = model;
    const count = (): number => freeSlots(pool.holders(heldAs, version));
    counts.set(model, count);
    return count;
  };
}

export function admit(free: FreeOf): Stage {
  return async (request, next) => {
    const { context, options, found } = request;
    const { admission } = options;
    const { version } = found;
    const span = context.span?.child('queue');
    const turn = admission.enter(version, free(version), context);
    if (turn !== undefined) await turn;
    span?.end('', turn === undefined ? span.startMs : performance.now());
    let isAnswered = false;
    try {
      const answer = await next(request);
      isAnswered = true;
      return answer;
    } finally {
      admission.leave(version, isAnswered);
    }
  };
}
