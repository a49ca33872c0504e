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

describe('records of disputes', () => {
  it('come in the order of the file, whatever a later version adds', async () => {
    expect(await idsIn(line('a'), line('b'), '')).toEqual(['a', 'b']);
  });

  it('may be of a version that did not know traces', async () => {
    const traced = JSON.stringify({
      ...(JSON.parse(line('b')) as object),
      trace_id: '0af7651916cd43dd8448eb211c80319c',
    });
    expect(await idsIn(line('a'), traced)).toEqual(['a', 'b']);
  });

  it('that were torn, at the end or where the next run went on, are passed over', async () => {
    expect(await idsIn(line('a'), line('b').slice(0, 40))).toEqual(['a']);
    expect(await idsIn(line('a').slice(0, 40), line('b'), '')).toEqual(['b']);
  });

  it('are not made of other JSON', async () => {
    expect(await idsIn('{}', '7', '', line('a'))).toEqual(['a']);
  });

  it('of a file that is not there are a wrong usage', async () => {
    await expect(readDisputes('/no/such/file').next()).rejects.toThrow('/no/such/file');
  });
});
