// When an engine is quarantined, the cache drops answers that only this engine gave.
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { Answer } from '../routing/answer.ts';
import { standsAlone } from '../routing/stands-alone.ts';

/** Returns true for answers that no trusted engine gave. A removed engine keeps the trust that it had. */
export function forgetDistrusted(cache: AnswerCache<Answer> | undefined, pool: Pick<EnginePool, 'engines'>): void {
  const out = new Set(pool.engines.filter(({ quarantine }) => quarantine !== '').map(({ id }) => id));
  cache?.deleteWhere((answer) => standsAlone(answer, (id) => out.has(id)));
}
