// Rules for publishing and subscribing. A refusal names the field and its valid values.
import { RouterError } from '../core/errors.ts';
import { type PublishRequest, Severity as WireSeverity } from '../generated/tandem/v1/events.ts';
import type { NewEvent, Severity } from '../telemetry/event.ts';
import { SYSTEM_TOPICS, isSystemTopic } from '../telemetry/event-topics.ts';

const MAX_TOPICS = 64;
const MAX_TOPIC_CHARS = 128;
const MAX_TEXT_CHARS = 4_096;
const MAX_ENTRIES = 32;
const MAX_VALUE_CHARS = 1_024;
const MAX_PAYLOAD_BYTES = 65_536;

const USER_TOPIC = /^user(\.[A-Za-z0-9_-]+)+$/;
const BEGINNING = /^[A-Za-z0-9_.-]*\*$/;
const KEY = /^[A-Za-z0-9._-]{1,64}$/;

const SEVERITIES: Readonly<Record<number, Severity>> = {
  [WireSeverity.SEVERITY_UNSPECIFIED]: 'INFO',
  [WireSeverity.SEVERITY_INFO]: 'INFO',
  [WireSeverity.SEVERITY_WARNING]: 'WARNING',
  [WireSeverity.SEVERITY_ERROR]: 'ERROR',
};

/** Throws INVALID_FIELD. */
export function toNewEvent({ topic, severity, text, data, payload }: PublishRequest): NewEvent {
  if (isSystemTopic(topic)) {
    refuse('topic', `topic "${topic}" is the router’s own; publish to one of yours, such as "user.${topic}"`);
  }
  if (topic.length > MAX_TOPIC_CHARS || !USER_TOPIC.test(topic)) {
    const form = 'letters, digits, "_" and "-" with dots between';
    refuse('topic', `topic ${quoted(topic)} must be "user." and ${form}, at most ${MAX_TOPIC_CHARS} characters`);
  }
  const known = SEVERITIES[severity];
  if (known === undefined) refuse('severity', `severity is ${severity}; send SEVERITY_INFO, _WARNING or _ERROR`);
  if (text.length > MAX_TEXT_CHARS) {
    refuse('text', `text has ${text.length} characters; send at most ${MAX_TEXT_CHARS}`);
  }
  const entries = Object.entries(data);
  if (entries.length > MAX_ENTRIES) refuse('data', `data has ${entries.length} entries; send at most ${MAX_ENTRIES}`);
  for (const [key, value] of entries) {
    if (!KEY.test(key)) {
      refuse('data', `key ${quoted(key)} of data must be letters, digits, ".", "_" or "-", at most 64`);
    }
    if (value.length > MAX_VALUE_CHARS) {
      refuse(`data["${key}"]`, `it has ${value.length} characters; send at most ${MAX_VALUE_CHARS}`);
    }
  }
  if (payload.length > MAX_PAYLOAD_BYTES) {
    refuse('payload', `payload has ${payload.length} bytes; send at most ${MAX_PAYLOAD_BYTES}`);
  }
  // Copied: the request's bytes are a view that would keep the whole message in memory.
  return { topic, severity: known, text, data, payload: Uint8Array.from(payload) };
}

/** Throws INVALID_FIELD. */
export function checkTopics(topics: readonly string[]): void {
  if (topics.length > MAX_TOPICS) refuse('topics', `topics has ${topics.length} entries; send at most ${MAX_TOPICS}`);
  for (const [index, topic] of topics.entries()) {
    const isGood = isSystemTopic(topic) || USER_TOPIC.test(topic) || BEGINNING.test(topic);
    if (isGood && topic.length <= MAX_TOPIC_CHARS) continue;
    const there = SYSTEM_TOPICS.join(', ');
    const others = 'a name that begins with "user.", or the beginning of a name followed by "*"';
    refuse(`topics[${index}]`, `there is no topic ${quoted(topic)}; there are: ${there}, ${others}`);
  }
}

function refuse(field: string, message: string): never {
  throw new RouterError('INVALID_FIELD', message, { field });
}

/** Text from callers may be long and contain anything. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, MAX_TOPIC_CHARS));
}
