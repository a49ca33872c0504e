import type { Environment } from './environment.ts';

/** Whether `npm start` started this process, so that npm is its parent. */
export function isStartedByNpm(env: Environment = process.env): boolean {
  return env['npm_lifecycle_event'] === 'start';
}
