// Checks the engines that support an answer. If none of them is trusted any more, the answer is not trusted either.
import type { Answer } from './answer.ts';

/** Whether every engine that gave the answer, or agreed with it, `isDistrusted`. */
export function standsAlone(
  { engine, ballots }: Pick<Answer, 'ballots'> & { readonly engine: { readonly id: string } },
  isDistrusted: (engineId: string) => boolean,
): boolean {
  return (
    isDistrusted(engine.id) && ballots.every(({ engineId, outcome }) => outcome !== 'AGREED' || isDistrusted(engineId))
  );
}
