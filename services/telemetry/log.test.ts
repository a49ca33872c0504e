import { beforeEach, describe, expect, it } from '@jest/globals';
import { changeLevel, createLog } from './log.ts';

let lines: Record<string, unknown>[];
const to = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };

beforeEach(() => {
  lines = [];
});

describe('the log', () => {
  it('writes neither callers’ data nor credentials', () => {
    const log = createLog('info', to);
    log.info(
      { input: { data: 'abc' }, call: { metadata: { authorization: 'Bearer x' } }, tensor: [1], model: 'm' },
      'x',
    );
    expect(lines[0]).toMatchObject({
      input: { data: '[redacted]' },
      call: { metadata: { authorization: '[redacted]' } },
      tensor: '[redacted]',
      model: 'm',
    });
  });

  it('changes its level by request, and logs that', () => {
    const log = createLog('warn', to);
    const levels = (['more', 'more', 'more', 'less', 'less', 'less', 'less', 'more'] as const).map((by) => {
      changeLevel(log, by);
      return log.level;
    });
    expect(levels).toEqual(['info', 'debug', 'debug', 'info', 'warn', 'error', 'error', 'warn']);
    expect(lines.filter(({ message }) => message === 'log level changed')).toHaveLength(7); // not error to error
  });
});
