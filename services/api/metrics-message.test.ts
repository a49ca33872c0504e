import { expect, it } from '@jest/globals';
import { metered, noSessions } from '../../test/support/metered.ts';
import { toMetrics } from './metrics-message.ts';

it('toMetrics has the counts of models, agents, votes, events and sessions', () => {
  const sessions = { ...noSessions(), open: 2, bytes: 9, waiting: 3, opened: 5, ended: { CLOSED: 4 }, moved: 1 };
  const { meter } = metered({ waiting: 6, subscribers: 8, sessions: { ...sessions, refused: 7 } });
  const reading = meter.read();
  const { counts } = reading;
  const model = { model: 'm', requests: 1, inferences: 2, synapticOperations: 3, spikes: 4 };
  const votes = { ...counts.votes, PLURALITY: 1, DEGRADED: 2, AUDITED: 3, AUDIT_DISPUTED: 4 };
  const agents = {
    methods: [{ method: 'Query' as const, answered: 3, fallbacks: { TIMEOUT: 1 } }],
    callers: [{ caller: 'ann', requests: 2, promptTokens: 30, completionTokens: 4, usd: 0.5 }],
  };
  const events = { published: { ...counts.events.published, engine: 2 }, missed: 1 };
  const message = toMetrics(
    { ...reading, timeMs: 11, counts: { ...counts, models: [model as never], votes, agents, events } },
    12.5,
  );
  expect(message).toMatchObject({
    ...{ timeMs: 11n, uptimeS: 12.5, waiting: 6 },
    models: [{ model: 'm', requests: 1n, inferences: 2n, synapticOperations: 3n, spikes: 4n }],
    agents: {
      methods: [{ method: 'Query', answered: 3n, fallbacks: { TIMEOUT: 1n } }],
      callers: [{ caller: 'ann', requests: 2n, promptTokens: 30n, completionTokens: 4n, usd: 0.5 }],
    },
    votes: { plurality: 1n, degraded: 2n, audited: 7n, auditDisputes: 4n },
    events: { subscribers: 8, published: { engine: 2n }, missed: 1n },
    sessions: { open: 2, bytes: 9n, waiting: 3, opened: 5n, ended: { CLOSED: 4n }, moved: 1n, refused: 7n },
  });
});
