// Our HTTP/2 server and Node's before the same hostile frames: `npm run test:fuzz -- --http2 SEQUENCES`. See --help.
import { parseArguments } from '../../support/arguments.ts';
import { table } from '../../../services/cli/table.ts';
import { compareSeeds } from './compare.ts';
import { type Explanation, explain } from './explained.ts';

const HELP = `Compares our HTTP/2 server with Node's on random sequences of frames: whether the connection ends, why, and which
streams are answered or reset.

  --sequences N   how many (1000000)
  --seed S        of the first; sequence n has seed S + n (taken from the clock)
  --help

Ends with 1 if a difference has no explanation (test/fuzz/http2/explained.ts), or if a server crashes.
To see one sequence again: --seed <its seed> --sequences 1`;

const AT_A_TIME = 250;
const REPORT_EVERY = 50_000;

const { values } = parseArguments({
  options: {
    sequences: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else process.exitCode = await fuzz(Number(values.sequences), Number(values.seed));

interface Group {
  count: number;
  readonly firstSeed: number;
}

async function fuzz(sequences: number, seed: number): Promise<number> {
  console.log(`seed ${seed}`);
  const startedMs = performance.now();
  const explained = new Map<Explanation, Group>();
  const unexplained = new Map<string, Group>();
  for (let done = 0; done < sequences;) {
    const count = Math.min(AT_A_TIME, sequences - done);
    for (const { kind, seed: at } of await compareSeeds(seed + done, count)) {
      const why = explain(kind);
      if (why === undefined) add(unexplained, kind, at);
      else add(explained, why, at);
    }
    done += count;
    if (done % REPORT_EVERY === 0) {
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
      console.log(`${done} sequences, ${total(unexplained)} unexplained differences, ${seconds} s`);
    }
  }
  const rows = [...explained].map(([{ section, why }, { count, firstSeed }]) => [count, firstSeed, section, why]);
  console.log(table(['TIMES', 'FIRST SEED', 'RFC 9113', 'EXPLAINED DIFFERENCE'], rows));
  for (const [kind, { count, firstSeed }] of unexplained)
    console.log(`UNEXPLAINED ×${count}, seed ${firstSeed}: ${kind}`);
  console.log(
    `${sequences} sequences from seed ${seed}: ${total(explained)} explained differences, ` +
      `${total(unexplained)} unexplained, ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`,
  );
  return unexplained.size === 0 ? 0 : 1;
}

function add<K>(groups: Map<K, Group>, key: K, seed: number): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, { count: 1, firstSeed: seed });
  else group.count += 1;
}

function total(groups: ReadonlyMap<unknown, Group>): number {
  return [...groups.values()].reduce((sum, { count }) => sum + count, 0);
}
