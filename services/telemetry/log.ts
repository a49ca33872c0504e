// Structured log, one line per event: readable text on a terminal, else JSON. Written to stderr, since stdout is for
// answers.
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { PinoPretty } from 'pino-pretty';
import { logOutput } from './output.ts';

export type Log = Logger;

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** Callers' data and credentials are never written, wherever they occur in a line. */
const SECRET = ['authorization', 'cookie', 'password', 'token', 'secret', 'data', 'encoding', 'tensor', 'payload'];
const REDACTED = SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** Same format as the sidecars' lines, so that one filter can read both. */
export function createLog(level: string, to?: DestinationStream): Log {
  const stream =
    to ??
    (process.stderr.isTTY
      ? loadPretty()({
          destination: toOutput(),
          ignore: 'service,pid',
          singleLine: true,
          messageKey: 'message',
          translateTime: 'SYS:HH:MM:ss.l',
        })
      : logOutput);
  const options = {
    level,
    base: { service: 'tandem-router' },
    messageKey: 'message',
    redact: { paths: REDACTED, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, stream);
}

/** Loaded late: most routers have no terminal, and it takes some megabytes. */
function loadPretty(): typeof PinoPretty {
  return createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
}

function toOutput(): Writable {
  return new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      logOutput.write(line);
      done();
    },
  });
}

/** Changes the log level by one step, on an operator's request at run time. */
export function changeLevel(log: Log, by: 'more' | 'less'): void {
  const index = LEVELS.findIndex((level) => level === log.level) + (by === 'more' ? 1 : -1);
  const level = LEVELS[Math.min(Math.max(index, 0), LEVELS.length - 1)] ?? 'info';
  const change = { from: log.level, to: level };
  if (by === 'more') log.level = level; // so that the line is written
  log.warn(change, 'log level changed');
  log.level = level;
}
