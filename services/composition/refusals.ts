import type { RouterError } from '../core/errors.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';

/** An event, and a line of the log: one for equal ones that follow each other, with their count. */
export function tellRefusal(system: SystemEvents, path: string, error: RouterError): void {
  const { caller } = error.metadata;
  system.tell('security', 'WARNING', 'call refused', { name: error.kind, caller, path, why: error.message });
}
