import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readDisputes } from './replay-records.ts';

const file = join(mkdtempSync(join(tmpdir(), 'tandem-records-')), 'disputes.jsonl');

function line(request_id: string): string {
  const digests = { time: '', model: 'm', model_version: 1, model_id: '1f', strategy: 's', verdict: 'v' };
  return JSON.stringify({ request_id, ...digests, shape: [1], ballots: [], added_later: true });
}

async function idsIn(...lines: string[]): Promise<string[]> {
  writeFileSync(file, lines.join('\n'));
  const ids: string[] = [];
  for await (const record of readDisputes(file)) ids.push(record.request_id);
  return ids;
}

describe('readDisputes', () => {
  it('returns records in the order of the file and ignores unknown fields', async () => {
    expect(await idsIn(line('a'), line('b'), '')).toEqual(['a', 'b']);
  });

  it('accepts records without a trace id', async () => {
    const traced = JSON.stringify({
      ...(JSON.parse(line('b')) as object),
      trace_id: '0af7651916cd43dd8448eb211c80319c',
    });
    expect(await idsIn(line('a'), traced)).toEqual(['a', 'b']);
  });

  it('skips incomplete lines', async () => {
    expect(await idsIn(line('a'), line('b').slice(0, 40))).toEqual(['a']);
    expect(await idsIn(line('a').slice(0, 40), line('b'), '')).toEqual(['b']);
  });

  it('skips JSON that is not a record', async () => {
    expect(await idsIn('{}', '7', '', line('a'))).toEqual(['a']);
  });

  it('throws if the file is missing', async () => {
    await expect(readDisputes('/no/such/file').next()).rejects.toThrow('/no/such/file');
  });
});
