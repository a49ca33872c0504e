import type { Page } from './page.ts';
import type { Stage } from './stage.ts';

export interface Scenario {
  /** As the command line names it. */
  readonly name: string;
  readonly title: string;
  /** Why it matters, in one sentence. */
  readonly why: string;
  run(stage: Stage, page: Page): Promise<void>;
}
