// The public HPACK stories (http2jp/hpack-test-case): the same header lists from a dozen encoders, which our decoder
// must read, and the output of our own encoder.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HpackDecoder } from '../../services/http2/hpack-decoder.ts';
import { encodeHeaders } from '../../services/http2/index.ts';
import { hpackStories } from './tools.ts';

interface EncoderResult {
  readonly encoder: string;
  readonly stories: number;
  readonly blocks: number;
  readonly fields: number;
  /** "STORY, block N: WHY". */
  readonly problems: readonly string[];
}

interface StoryCase {
  readonly wire?: string;
  readonly header_table_size?: number;
  readonly headers: readonly Readonly<Record<string, string>>[];
}

/** The largest list of all stories. */
const MAX_LIST_BYTES = 1 << 20;
/** The largest table that our endpoints announce. */
const TABLE_BYTES = 4_096;
const ORIGINALS = 'raw-data';

export async function judgeHpack(): Promise<EncoderResult[]> {
  const root = await hpackStories();
  const folders = readdirSync(root).filter((name) => existsSync(join(root, name, 'story_00.json')));
  return folders.map((name) => judge(name, join(root, name)));
}

function judge(encoder: string, folder: string): EncoderResult {
  const tally = { stories: 0, blocks: 0, fields: 0, problems: [] as string[] };
  for (const file of readdirSync(folder).sort()) {
    const { cases } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cases: StoryCase[] };
    tally.stories += 1;
    const decoder = new HpackDecoder(MAX_LIST_BYTES);
    for (const [at, { wire, header_table_size, headers }] of cases.entries()) {
      // Its encoder uses a larger table than ours ever announces.
      if ((header_table_size ?? 0) > TABLE_BYTES) break;
      const isOurs = wire === undefined;
      const fields = headers.flatMap((field) => Object.entries(field)).filter((each) => !isOurs || isAllowed(each));
      const wanted = fields.flat();
      const problem = problemOf(decoder, isOurs ? encodeHeaders(wanted) : Buffer.from(wire, 'hex'), wanted);
      tally.blocks += 1;
      tally.fields += fields.length;
      if (problem === undefined) continue;
      tally.problems.push(`${file}, block ${at}: ${problem}`);
      break;
    }
  }
  const name = encoder === ORIGINALS ? 'services/http2 (and back)' : encoder;
  return { encoder: name, ...tally };
}

/** Some originals have fields that HTTP/2 forbids, such as "connection" or a value with a space at its end. */
function isAllowed(field: readonly [name: string, value: string]): boolean {
  try {
    encodeHeaders(field);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function problemOf(decoder: HpackDecoder, block: Buffer, wanted: readonly string[]): string | undefined {
  try {
    const { list } = decoder.decode(block, 0, block.length);
    const at = wanted.findIndex((text, at) => list[at] !== text);
    if (at < 0 && list.length === wanted.length) return undefined;
    return `"${list[at]}" instead of "${wanted[at]}"`;
  } catch (error) {
    return (error as Error).message;
  }
}
