// `npm run test:edge`: other people's tests, and attacks, against the HTTP/2 and gRPC edge.
import { writeFileSync } from 'node:fs';
import { parseArguments } from '../support/arguments.ts';
import { EDGES } from './edges.ts';
import { JUDGES, type Verdict } from './judges.ts';
import { MissingTool } from './tools.ts';

const HELP = `Judges the router's edge (HTTP/2 and gRPC) by the tests of others and by attacks.

Usage: npm run test:edge -- [options]

  --only NAME[,NAME]   some judges only: ${JUDGES.map(({ name }) => name).join(', ')}
  --edge NAME[,NAME]   some edges only: ${EDGES.join(', ')} (http2: services/http2 alone, without the router)
  --json FILE          also write every verdict as JSON
  --list               only say what would be judged
  --help               this text

${JUDGES.map(({ name, what }) => `${name.padEnd(8)} ${what}`).join('\n')}

Ends with 1 if anything fails that has no named reason. Tools are made once and kept in ~/.cache/tandem-edge; a tool that
cannot be had is said, and counts as a failure.

Example: npm run test:edge -- --only h2spec,floods --edge native
`;

const { values } = parseArguments({
  options: {
    only: { type: 'string', default: JUDGES.map(({ name }) => name).join(',') },
    edge: { type: 'string', default: 'native,grpc-js' },
    json: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
const judges = chosen(values.only, JUDGES, ({ name }) => name, '--only');
const edges = chosen(values.edge, EDGES, (name) => name, '--edge');
if (values.help) process.stdout.write(HELP);
else if (values.list) process.stdout.write(judges.map(({ name, what }) => `${name.padEnd(8)} ${what}\n`).join(''));
else process.exitCode = await judge();

async function judge(): Promise<number> {
  const verdicts: Verdict[] = [];
  for (const { name, run } of judges) {
    try {
      verdicts.push(...(await run(edges, (text) => void process.stderr.write(`  … ${text}\n`))));
    } catch (error) {
      if (!(error instanceof MissingTool)) throw error;
      process.stdout.write(`\n${name}: not judged. ${error.message}\n`);
      verdicts.push({ judge: name, edge: undefined, what: 'the tool is missing', passed: false, note: error.message });
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(verdicts, null, 2)}\n`);
  const failed = verdicts.filter(({ passed }) => !passed).length;
  process.stdout.write(`\n${verdicts.length - failed} passed, ${failed} failed\n`);
  return failed > 0 ? 1 : 0;
}

function chosen<T>(names: string, from: readonly T[], nameOf: (each: T) => string, flag: string): T[] {
  return names.split(',').map((name) => {
    const found = from.find((each) => nameOf(each) === name);
    if (found !== undefined) return found;
    process.stderr.write(`${flag} ${name}: there is no such name; one of ${from.map(nameOf).join(', ')}\n`);
    process.exit(2);
  });
}
