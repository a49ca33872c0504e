// Admit: if no engine has a free slot, the request waits for its turn or is refused at once. See admission.ts.
import type { EnginePool } from '../../engines/pool.ts';
import type { ModelVersion } from '../../models/repository.ts';
import { freeSlots } from '../admission.ts';
import type { Answer } from '../answer.ts';
import type { RoutedRequest } from '../routed-request.ts';
import type { Next, Stage } from '../stage.ts';

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
  return (request, next) => {
    const { context, options, found } = request;
    const turn = options.admission.enter(found.version, free(found.version), context);
    if (turn === undefined) return admitted(request, next);
    const span = context.span?.child('queue');
    return turn.then(() => {
      span?.end();
      return admitted(request, next);
    });
  };
}

/** Leaves in any case. */
function admitted(request: RoutedRequest, next: Next): Answer | Promise<Answer> {
  const { admission } = request.options;
  const { version } = request.found;
  let answer: Answer | Promise<Answer>;
  try {
    answer = next(request);
  } catch (error) {
    admission.leave(version, false);
    throw error;
  }
  if (!(answer instanceof Promise)) {
    admission.leave(version, true);
    return answer;
  }
  return answer.then(
    (answer) => {
      admission.leave(version, true);
      return answer;
    },
    (error: unknown) => {
      admission.leave(version, false);
      throw error;
    },
  );
}
