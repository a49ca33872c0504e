import type { RouterError } from '../core/errors.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';

/** Reports refusals as events and log lines. Consecutive equal ones become one, with a count. */
export function tellRefusal(system: SystemEvents, path: string, error: RouterError): void {
  const { caller } = error.metadata;
  system.tell('security', 'WARNING', 'call refused', { name: error.kind, caller, path, why: error.message });
}
