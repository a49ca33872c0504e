// Admit: where every engine has enough to do, the request waits its turn, or is refused at once. See admission.ts.
import type { EnginePool } from '../../engines/pool.ts';
import type { ModelVersion } from '../../models/repository.ts';
import { freeSlots } from '../admission.ts';
import type { Stage } from '../stage.ts';

export function admit(pool: EnginePool): Stage {
  /** How many requests for a model could be sent now. One function for each model: what waits keeps it. */
  const freeOf = new WeakMap<ModelVersion, () => number>();
  const free = (model: ModelVersion): (() => number) => {
    const known = freeOf.get(model);
    if (known !== undefined) return known;
    const { name, version } = model;
    const count = (): number => freeSlots(pool.holders(name, version));
    freeOf.set(model, count);
    return count;
  };

  return async (request, next) => {
    const { context, options, found } = request;
    const { admission } = options;
    const { version } = found;
    const span = context.span?.child('queue');
    const turn = admission.enter(version, free(version), context);
    if (turn !== undefined) await turn;
    span?.end();
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
