// The engines that stand behind an answer. Where none of them is trusted any more, the answer is not, either.
import type { Answer } from './answer.ts';

/** Whether each engine that gave the answer, or agreed with it, is one that `isDistrusted`. */
export function standsAlone(
  { engine, ballots }: Pick<Answer, 'ballots'> & { readonly engine: { readonly id: string } },
  isDistrusted: (engineId: string) => boolean,
): boolean {
  return (
    isDistrusted(engine.id) && ballots.every(({ engineId, outcome }) => outcome !== 'AGREED' || isDistrusted(engineId))
  );
}
