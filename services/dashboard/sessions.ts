// The open sessions, as JSON.
import type { DashboardSources } from './sources.ts';

/** The newest ones. */
export function toSessions({ sessions, read }: DashboardSources, limit: number): object {
  const { open, bytes, waiting, opened, ended, moved, refused } = read().standing.sessions;
  const nowMs = sessions.nowMs();
  return {
    ...{ open, bytes, waiting, opened, ended, moved, refused },
    sessions: sessions.list(limit).map((session) => ({
      serial: session.serial,
      id: session.id,
      caller: session.caller,
      model: session.model === undefined ? '' : `${session.model.name}/${session.model.version}`,
      step: session.step,
      messages: session.messages,
      waiting: session.turns.length,
      bytes: session.bytes,
      engine: session.engineId,
      ageMs: nowMs - session.openedMs,
      idleMs: nowMs - session.usedMs,
    })),
  };
}
