import type { Page } from './page.ts';
import type { Stage } from './stage.ts';

export interface Scenario {
  /** Its name on the command line. */
  readonly name: string;
  readonly title: string;
  /** Its purpose, in one sentence. */
  readonly why: string;
  run(stage: Stage, page: Page): Promise<void>;
}
