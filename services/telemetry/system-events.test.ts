import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { EventLog } from './event-log.ts';
import { SystemEvents, type EngineStatus } from './system-events.ts';

const ENGINE: EngineStatus = { id: 'engine-1', state: 'READY', unavailableReason: '', quarantine: '', build: 'b 1' };

let lines: Record<string, unknown>[];
let events: EventLog;
let system: SystemEvents;

beforeEach(() => {
  lines = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line) => void lines.push(JSON.parse(line) as object as never) },
  );
  events = new EventLog({ maxEvents: 100, maxBytes: 1_048_576 });
  system = new SystemEvents(log, events);
});

/** "topic SEVERITY text", oldest first. */
function logged(): string[] {
  return events
    .recent(100)
    .map(({ topic, severity, text }) => `${topic} ${severity} ${text}`)
    .reverse();
}

describe('an event of the router', () => {
  it('is a line of the log and an event with the same text', () => {
    system.tell('dispute', 'WARNING', 'dispute', { model: 'm', version: 2, why: undefined }, 'f00');
    expect(lines).toEqual([{ level: 40, model: 'm', version: 2, trace_id: 'f00', msg: 'dispute' }]);
    expect(events.recent(1)).toMatchObject([
      { topic: 'dispute', text: 'dispute', data: { model: 'm', version: '2' }, traceId: 'f00' },
    ]);
  });

  it('reports an engine that disconnects and connects again', () => {
    system.engineChanged(ENGINE);
    system.engineChanged({ ...ENGINE, state: 'DOWN', unavailableReason: 'down: connection refused' });
    system.engineChanged({ ...ENGINE, state: 'DRAINING', unavailableReason: 'draining' });
    system.engineRemoved(ENGINE);
    expect(logged()).toEqual([
      'engine INFO engine ready',
      'engine WARNING engine down',
      'engine WARNING engine draining',
      'engine INFO engine removed',
    ]);
    expect(events.recent(3)[2]?.data).toEqual({ engine: 'engine-1', why: 'down: connection refused' });
  });

  it('reports a quarantine and its end', () => {
    system.engineChanged({ ...ENGINE, state: 'QUARANTINED', quarantine: 'it contradicted the majority' });
    system.engineChanged({ ...ENGINE, state: 'DOWN', quarantine: 'it contradicted the majority' });
    system.engineChanged(ENGINE);
    system.engineChanged(ENGINE);
    expect(logged()).toEqual([
      'quarantine WARNING engine quarantined',
      'engine WARNING engine down',
      'quarantine INFO engine trusted again',
      'engine INFO engine ready',
    ]);
  });

  it('reports breakers, one or all', () => {
    system.breakerChanged(ENGINE, { state: 'OPEN', why: '5 of 5 requests failed' });
    system.breakerChanged(ENGINE, { state: 'CLOSED', why: 'it answered' });
    const panic = { model: 'm/1', connected: 4, closed: 1 };
    system.panicChanged({ ...panic, isPanicking: true });
    system.panicChanged({ ...panic, isPanicking: false });
    expect(logged()).toEqual([
      'breaker WARNING breaker changed',
      'breaker INFO breaker changed',
      'breaker WARNING too few breakers are closed; all are ignored',
      'breaker INFO breakers apply again',
    ]);
    expect(events.recent(1)[0]?.data).toEqual({ model: 'm/1', connected: '4', closed: '1' });
  });

  it('reports a duplicate process once, also when it reconnects', () => {
    const duplicate: EngineStatus = { ...ENGINE, state: 'DUPLICATE', unavailableReason: 'same process as local' };
    system.engineChanged(duplicate);
    system.engineChanged({ ...ENGINE, state: 'DOWN', unavailableReason: 'down: connection refused' });
    system.engineChanged(duplicate);
    system.engineChanged(ENGINE);
    system.engineChanged(duplicate);
    system.stop();
    expect(events.recent(1)[0]).toMatchObject({ text: 'engine duplicate', count: 2 });
    expect(logged()).toEqual([
      'engine WARNING engine down',
      'engine INFO engine ready',
      'engine WARNING engine duplicate',
    ]);
    expect(events.recent(1)[0]?.data).toEqual({ engine: 'engine-1', why: 'same process as local' });
  });

  it('is one event if an engine repeatedly disconnects for the same cause', () => {
    for (let n = 0; n < 500; n += 1) {
      system.engineChanged({ ...ENGINE, state: 'DOWN', unavailableReason: `down: it was silent for ${500 + n} ms` });
      system.engineChanged(ENGINE);
    }
    system.stop();
    expect(logged()).toEqual(['engine WARNING engine down', 'engine INFO engine ready']);
    expect(events.recent(2)).toMatchObject([{ count: 500 }, { count: 500 }]);
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatchObject({ why: 'down: it was silent for 999 ms', count: 500 });
  });

  it('reports each model that an engine cannot serve once, and the end of the problem', () => {
    const why = 'it holds other weights';
    system.modelProblemsChanged({ id: 'engine-1', modelProblems: [{ model: 'm/1', why }] });
    system.modelProblemsChanged({
      id: 'engine-1',
      modelProblems: ['m/1', 'm/2'].map((model) => ({ model, why })),
    });
    system.modelProblemsChanged({ id: 'engine-1', modelProblems: [{ model: 'm/2', why }] });
    expect(events.recent(3).map(({ topic, severity, text, data }) => [topic, severity, text, data])).toEqual([
      ['model', 'INFO', 'engine no longer has a problem with a model', { engine: 'engine-1', model: 'm/1' }],
      ['model', 'WARNING', 'engine does not serve a model', { engine: 'engine-1', model: 'm/2', why }],
      ['model', 'WARNING', 'engine does not serve a model', { engine: 'engine-1', model: 'm/1', why }],
    ]);
    expect(lines).toHaveLength(3);
  });
});
