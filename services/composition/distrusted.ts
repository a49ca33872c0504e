// When an engine is put out, the cache forgets what it alone has said.
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { Answer } from '../routing/answer.ts';
import { standsAlone } from '../routing/stands-alone.ts';

/** Answers behind which no trusted engine stands. An engine that has been removed is as trusted as it was. */
export function forgetDistrusted(cache: AnswerCache<Answer> | undefined, pool: Pick<EnginePool, 'engines'>): void {
  const out = new Set(pool.engines.filter(({ quarantine }) => quarantine !== '').map(({ id }) => id));
  cache?.deleteWhere((answer) => standsAlone(answer, (id) => out.has(id)));
}
