import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { Event, Severity, type SubscribeResponse } from '../generated/tandem/v1/events.ts';
import { eventLine } from './events-text.ts';

function shown(what: SubscribeResponse['what']): string | undefined {
  const line = eventLine({ what, processingTimeMs: 0 });
  return line && stripVTControlCharacters(line);
}

function event(over: Partial<Event>): string | undefined {
  const value = Event.fromPartial({
    sequence: 7n,
    timeMs: 1_000n,
    topic: 'engine',
    severity: Severity.SEVERITY_INFO,
    ...over,
  });
  return shown({ $case: 'event', value });
}

describe('eventLine', () => {
  it('aligns its columns', () => {
    expect([
      event({ text: 'engine ready', data: { engine: 'engine-1', build: 'b 1' } }),
      event({
        sequence: 123_456n,
        topic: 'quarantine',
        severity: Severity.SEVERITY_WARNING,
        text: 'engine quarantined',
      }),
      event({ topic: 'user.deploy', text: 'done', payload: new Uint8Array(2_000), traceId: 'f00' }),
    ]).toEqual([
      '1970-01-01T00:00:01.000Z       7  engine      info     engine ready  engine=engine-1 build="b 1"',
      '1970-01-01T00:00:01.000Z  123456  quarantine  warning  engine quarantined',
      '1970-01-01T00:00:01.000Z       7  user.deploy  info     done  payload=2,000 bytes trace_id=f00',
    ]);
  });

  it('escapes control characters', () => {
    const line = eventLine({
      what: {
        $case: 'event',
        value: Event.fromPartial({
          topic: 'user.x',
          text: '\u001b[2Jgone\nengine down\u202e',
          data: { k: 'a\u001b[31m b', l: '\u0007' },
        }),
      },
      processingTimeMs: 0,
    });
    for (const raw of ['\u001b[2J', '\u001b[31m', '\n', '\u0007', '\u202e']) expect(line).not.toContain(raw);
    expect(line).toContain('\\u{1b}[2Jgone\\u{a}engine down');
  });

  it('reports missed events and prints nothing for the start', () => {
    expect(shown({ $case: 'missed', value: { count: 1_234n } })).toMatch(/^… missed 1,234 events/);
    expect(shown({ $case: 'subscribed', value: { instance: 'i', lastSequence: 0n } })).toBeUndefined();
  });
});
