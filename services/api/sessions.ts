// SessionService: lists and ends open sessions.
import { RouterError } from '../core/errors.ts';
import {
  type EndSessionRequest,
  type EndSessionResponse,
  type ListSessionsRequest,
  type ListSessionsResponse,
  type OpenSession,
  SessionServiceService,
} from '../generated/tandem/v1/sessions.ts';
import type { Method } from '../grpc/method.ts';
import { sessionUnknown } from '../sessions/errors.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { decoding } from './decoding.ts';
import { methodsOf } from './methods.ts';
import { checkEndSession, checkListSessions } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

const sessionService = decoding(SessionServiceService, {
  listSessions: checkListSessions,
  endSession: checkEndSession,
});

const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;

export function sessionMethods(sessions: SessionStore, options: UnaryOptions): Method[] {
  return methodsOf(sessionService, {
    listSessions: unary<ListSessionsRequest, ListSessionsResponse>(options, (request, { startedMs }) => {
      const size = pageSizeOf(request);
      const page = sessions.list(size + 1, serialOf(request));
      const { open, bytes } = sessions.stats;
      return {
        sessions: page.slice(0, size).map((session) => toOpenSession(session, sessions.nowMs())),
        nextPageToken: page.length > size ? String(page[size - 1]!.serial) : '',
        open,
        bytes: BigInt(bytes),
        processingTimeMs: performance.now() - startedMs,
      };
    }),
    endSession: unary<EndSessionRequest, EndSessionResponse>(options, ({ id, caller }, { startedMs }) => {
      if (id === '') throw new RouterError('INVALID_FIELD', 'id is missing; name a session', { field: 'id' });
      const session = sessions.find(caller, id);
      if (session === undefined) throw sessionUnknown(id);
      const ended = toOpenSession(session, sessions.nowMs());
      sessions.end(session, 'OPERATOR');
      return { session: ended, processingTimeMs: performance.now() - startedMs };
    }),
  });
}

function pageSizeOf({ pageSize }: ListSessionsRequest): number {
  if (pageSize <= MAX_PAGE) return pageSize || DEFAULT_PAGE;
  const message = `page_size is ${pageSize}; send 1 to ${MAX_PAGE}, or 0 for ${DEFAULT_PAGE}`;
  throw new RouterError('INVALID_FIELD', message, { field: 'page_size' });
}

/** A page starts after the session with this serial number; Infinity: the first page. */
function serialOf({ pageToken }: ListSessionsRequest): number {
  if (pageToken === '') return Infinity;
  if (/^[1-9]\d{0,15}$/.test(pageToken)) return Number(pageToken);
  const message = 'page_token is none; send next_page_token of the answer before, or leave it out';
  throw new RouterError('INVALID_FIELD', message, { field: 'page_token' });
}

function toOpenSession(session: Session, nowMs: number): OpenSession {
  const { id, caller, model, step, messages, turns, bytes, engineId, openedMs, usedMs } = session;
  return {
    ...{ id, caller, step, engineId },
    model: model?.name ?? '',
    modelVersion: model?.version ?? 0,
    messages: BigInt(messages),
    waiting: turns.length,
    bytes: BigInt(bytes),
    ageS: (nowMs - openedMs) / 1_000,
    idleS: (nowMs - usedMs) / 1_000,
  };
}
