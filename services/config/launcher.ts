import type { Environment } from './environment.ts';

/** Whether `npm start` has started this process: npm is its parent then. */
export function isStartedByNpm(env: Environment = process.env): boolean {
  return env['npm_lifecycle_event'] === 'start';
}
