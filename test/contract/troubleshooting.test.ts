// deploy/TROUBLESHOOTING.md lists every error that callers can get.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ERROR_KINDS } from '../../services/core/errors.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../deploy/TROUBLESHOOTING.md'), 'utf8');

describe('the troubleshooting table', () => {
  it('has one row for each reason, with its status', () => {
    const rows = [...TEXT.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \| .+ \|$/gm)].map(([, reason, code]) => [
      reason,
      code,
    ]);
    const kinds = Object.entries(ERROR_KINDS).map(([kind, { code }]) => [kind, code]);
    expect(rows).toEqual(kinds);
  });
});
