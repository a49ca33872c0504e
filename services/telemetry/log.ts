// Structured log, one line an event: readable on a terminal, JSON otherwise. To stderr, since stdout is for answers.
import { type Logger, destination, pino } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

/** Lines look like the sidecars' own, so that one filter reads both. */
export function createLog(level: string): Log {
  const stream = process.stderr.isTTY
    ? pretty({
        destination: 2,
        sync: true,
        ignore: 'service,pid',
        singleLine: true,
        messageKey: 'message',
        translateTime: 'SYS:HH:MM:ss.l',
      })
    : destination({ dest: 2, sync: false });
  const options = {
    level,
    base: { service: 'tandem-router' },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, stream);
}
