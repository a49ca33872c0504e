// Formats an event as one line for people.
import { styleText } from 'node:util';
import { type Event, Severity, type SubscribeResponse, severityToJSON } from '../generated/tandem/v1/events.ts';
import { visible } from '../core/visible.ts';
import { counted } from './metrics-format.ts';
import { plain } from './words.ts';

const SEQUENCE_CELLS = 6;
const TOPIC_CELLS = 10;
const SEVERITY_CELLS = 7;

/** Undefined: nothing to show. */
export function eventLine({ what }: SubscribeResponse): string | undefined {
  if (what?.$case === 'event') return line(what.value);
  if (what?.$case !== 'missed') return undefined;
  return styleText(
    'yellow',
    `… missed ${counted(what.value.count, 'event')}: they were read too slowly, or are too old`,
  );
}

function line({ sequence, timeMs, topic, severity, text, data, payload, traceId, ...repeated }: Event): string {
  const { count, firstTimeMs } = repeated;
  const details = [
    ...(count > 1n ? [`${count} times since ${new Date(Number(firstTimeMs)).toISOString()}`] : []),
    ...Object.entries(data).map(([key, value]) => `${visible(key)}=${visible(quoted(value))}`),
    ...(payload.length > 0 ? [`payload=${counted(payload.length, 'byte')}`] : []),
    ...(traceId === '' ? [] : [`trace_id=${visible(traceId)}`]),
  ];
  return [
    new Date(Number(timeMs)).toISOString(),
    String(sequence).padStart(SEQUENCE_CELLS),
    visible(topic).padEnd(TOPIC_CELLS),
    styled(severity, plain(severityToJSON(severity), 'SEVERITY_').padEnd(SEVERITY_CELLS)),
    visible(text),
    styleText('dim', details.join(' ')),
  ]
    .join('  ')
    .trimEnd();
}

function styled(severity: Severity, word: string): string {
  if (severity === Severity.SEVERITY_ERROR) return styleText('red', word);
  return severity === Severity.SEVERITY_WARNING ? styleText('yellow', word) : word;
}

/** Quotes a value that is more than one word. */
function quoted(value: string): string {
  return /[\s"=]|^$/.test(value) ? JSON.stringify(value) : value;
}
