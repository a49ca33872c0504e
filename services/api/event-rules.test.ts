import { describe, expect, it } from '@jest/globals';
import { thrownBy } from '../../test/fakes/call-method.ts';
import { PublishRequest, Severity } from '../generated/tandem/v1/events.ts';
import { checkTopics, toNewEvent } from './event-rules.ts';

const topic = (length: number): string => 'user.'.padEnd(length, 'x');

function refusedField(over: Partial<PublishRequest>): string | undefined {
  const request = PublishRequest.fromPartial({ topic: 'user.x', ...over });
  return thrownBy(() => toNewEvent(request))?.violation?.field;
}

describe('toNewEvent', () => {
  it.each<[string, Partial<PublishRequest>, string | undefined]>([
    ['a topic of 128 characters', { topic: topic(128) }, undefined],
    ['a topic of 129 characters', { topic: topic(129) }, 'topic'],
    ['a topic of several parts', { topic: 'user.a-1.B_2' }, undefined],
    ['a topic with an empty part', { topic: 'user.a..b' }, 'topic'],
    ['a key of one character', { data: { k: '' } }, undefined],
    ['a key of 64 characters', { data: { ['k'.repeat(64)]: '' } }, undefined],
    ['a key of 65 characters', { data: { ['k'.repeat(65)]: '' } }, 'data'],
    ['an empty key', { data: { '': 'v' } }, 'data'],
    ['a value of 1,024 characters', { data: { k: 'x'.repeat(1_024) } }, undefined],
    ['a value of 1,025 characters', { data: { k: 'x'.repeat(1_025) } }, 'data["k"]'],
  ])('with %s', (_, over, field) => {
    expect(refusedField(over)).toBe(field);
  });

  it.each([
    [Severity.SEVERITY_UNSPECIFIED, 'INFO'],
    [Severity.SEVERITY_INFO, 'INFO'],
    [Severity.SEVERITY_WARNING, 'WARNING'],
    [Severity.SEVERITY_ERROR, 'ERROR'],
  ])('maps severity %d to %s', (severity, name) => {
    expect(toNewEvent(PublishRequest.fromPartial({ topic: 'user.x', severity })).severity).toBe(name);
  });

  it('quotes at most the length of a topic in its errors', () => {
    const request = PublishRequest.fromPartial({ topic: 'x'.repeat(500) });
    expect(thrownBy(() => toNewEvent(request))?.message).toContain(`topic "${'x'.repeat(128)}" must`);
  });
});

describe('checkTopics', () => {
  const many = (count: number): string[] => Array.from({ length: count }, () => 'engine');

  it.each<[string, string[], string | undefined]>([
    ['64 topics', many(64), undefined],
    ['65 topics', many(65), 'topics'],
    ['a topic of 128 characters', [topic(128)], undefined],
    ['a topic of 129 characters', [topic(129)], 'topics[0]'],
    ['the beginning of a topic, of 128 characters', [`${topic(127)}*`], undefined],
    ['the beginning of a topic, of 129 characters', [`${topic(128)}*`], 'topics[0]'],
    ['all topics', ['*'], undefined],
    ['an unknown topic after good ones', ['engine', 'user.x', 'weather'], 'topics[2]'],
  ])('with %s', (_, topics, field) => {
    expect(thrownBy(() => checkTopics(topics))?.violation?.field).toBe(field);
  });
});
