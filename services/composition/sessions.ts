// Builds the sessions from the settings, and connects them to events.
import type { Settings } from '../config/schema.ts';
import { SessionStore } from '../sessions/session-store.ts';
import type { Ending, SessionOptions } from '../sessions/options.ts';
import type { Session } from '../sessions/session.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';

export function sessionOptions({ sessions, max_in_flight: maxInFlight }: Settings): SessionOptions {
  return {
    max: sessions.max,
    maxPerCaller: sessions.max_per_caller,
    maxBytes: sessions.max_bytes,
    maxWaiting: sessions.max_waiting,
    maxWaitingInAll: maxInFlight,
    idleMs: sessions.idle_s * 1_000,
    snapshotBytes: sessions.snapshot_bytes,
    snapshotSteps: sessions.snapshot_steps,
  };
}

export function startSessions(settings: Settings, system: SystemEvents): SessionStore {
  return new SessionStore(sessionOptions(settings), {
    ended: (session, why) => tellEnded(system, session, why),
    refused: (why) => system.tell('session', 'WARNING', 'session refused', { name: 'SESSION_LIMIT', why }),
  });
}

/** Sessions closed by clients or by expiry are only counted; they cause no event. */
function tellEnded(system: SystemEvents, { id, caller, model, step }: Session, why: Ending): void {
  if (why === 'CLOSED' || why === 'EXPIRED') return;
  const { name = '', version = 0 } = model ?? {};
  const what = { name: why, session: id, caller: caller || undefined, model: `${name}/${version}`, step };
  system.tell('session', why === 'OPERATOR' ? 'INFO' : 'WARNING', 'session ended', what);
}
