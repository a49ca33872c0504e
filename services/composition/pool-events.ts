// Notifies listeners when an engine of the pool changes.
import type { ApiServer } from '../api/server.ts';
import type { PoolEvents } from '../engines/pool.ts';
import type { Admission } from '../routing/admission.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';
import type { Discoveries } from './engine-sources.ts';
import type { Publishing } from './publishing.ts';

export interface PoolListeners {
  readonly discoveries: Discoveries;
  readonly publishing: Publishing;
  readonly admission: Admission;
  readonly system: SystemEvents;
  readonly api: ApiServer;
  readonly metrics: Metrics;
}

/** `listeners`: first called at the first event. A stopping router does not report that its engines leave. */
export function poolEvents(isStopping: () => boolean, listeners: () => PoolListeners): Partial<PoolEvents> {
  return {
    engineChanged: (pooled) => {
      if (isStopping()) return;
      const { discoveries, publishing, admission, system, api } = listeners();
      discoveries.engineChanged(pooled);
      publishing.engineChanged(pooled);
      admission.serve();
      system.engineChanged(pooled);
      api.refreshHealth();
    },
    breakerChanged: (pooled, event) => {
      const { admission, system, api } = listeners();
      admission.serve();
      if (isStopping()) return;
      system.breakerChanged(pooled, event);
      api.refreshHealth();
    },
    modelProblemsChanged: (pooled) => {
      if (!isStopping()) listeners().system.modelProblemsChanged(pooled);
    },
    engineRemoved: (pooled) => {
      const { metrics, system, api } = listeners();
      metrics.forgetEngine(pooled.id);
      system.engineRemoved(pooled);
      api.refreshHealth();
    },
    panicChanged: (event) => {
      if (isStopping()) return;
      const { system, api } = listeners();
      system.panicChanged(event);
      api.refreshHealth();
    },
  };
}
