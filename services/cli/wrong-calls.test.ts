// Wrong calls of `npx tandem`: each message must name what is wrong and what to do. No router runs here;
// test/integration/wrong-calls.test.ts has the calls that a router refuses.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { callTandem } from '../../test/support/cli-call.ts';

const folder = mkdtempSync(join(tmpdir(), 'tandem-wrong-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const USAGE: [words: string[], message: RegExp][] = [
  [[], /Usage: tandem \[options\] \[command\]/],
  [['raeson'], /unknown command 'raeson'\n\(Did you mean reason\?\)/],
  [['engines', 'reomve', 'x'], /unknown command 'reomve'/],
  [['config', 'chek'], /unknown command 'chek'\n\(Did you mean check\?\)/],
  [['ping', '--adress', 'x'], /unknown option '--adress'\n\(Did you mean --address\?\)/],
  [['--adress', 'x', 'ping'], /unknown option '--adress'/],
  [['ping', 'now'], /too many arguments for 'ping'. Expected 0 arguments but got 1/],
  [['ping', '--timeout-ms', 'soon'], /--timeout-ms.*'soon'.*It must be a whole number, 1 to 3600000/],
  [['ping', '--timeout-ms', '0'], /--timeout-ms.*'0'.*1 to 3600000/],
  [['ping', '--timeout-ms'], /option '--timeout-ms <n>' argument missing/],
  [['reason'], /give one input: a text, a file/],
  [['reason', 'a', 'cat'], /too many arguments for 'reason'. Expected 1 argument but got 2/],
  [['reason', 'a cat', '--sample', 'dog'], /give one input/],
  [['reason', '--sample', 'unicorn'], /there is no sample "unicorn"; there are: .*dog/],
  [['reason', '/no/such/file'], /cannot read "\/no\/such\/file": ENOENT/],
  [['reason', '--sample', 'dog', '--strategy', 'LUCK'], /LUCK.*ROUND_ROBIN, LOCAL_FIRST/],
  [['reason', '--sample', 'dog', '--cache', 'never'], /never.*use, bypass, refresh/],
  [['reason', '--sample', 'dog', '--detail', 'all'], /all.*summary, layers, raster/],
  [['reason', '--sample', 'dog', '--model-version', 'latest'], /--model-version.*'latest'.*whole number/],
  [['reason', file('words.txt', 'one two')], /"one" is not a number/],
  [['reason', file('broken.json', '[1, 2')], /the input is not JSON/],
  [['reason', file('strings.json', '[1, "2"]')], /element 1 is not a number/],
  [['reason', file('rows.json', '[[1, 2], [3]]')], /row 1 has a different length from row 0/],
  [['reason', file('heads.csv', 'x,y\n1,2')], /line 1: "x" is not a number; a \.csv file must have only numbers/],
  [
    ['reason', file('key.json', '{"encodings": [1]}')],
    /"encodings" is no field of the request; there are: request_id, .*encoding/,
  ],
  [['reason', file('two.json', '{"text": "a", "encoding": [1]}')], /has encoding and text.*give exactly one/],
  [['reason', file('none.json', '{"model": "supersense"}')], /has none of encoding, tensor, text and events/],
  [
    ['reason', file('enum.json', '{"text": "a", "strategy": "LUCK"}')],
    /"strategy" is "LUCK"; it must be one of .*STRATEGY_FASTEST/,
  ],
  [['reason', file('deep.json', '{"text": "a", "session": {"name": "x"}}')], /"session\.name" is no field.*id, state/],
  [['reason', file('odd.json', '{"encoding": [1, null]}')], /element 1 of "encoding" is not a number/],
  [['reason', '--sample', 'dog', '--close'], /--close need --session; example: --session robot-7/],
  [['reason', '--sample', 'dog', '--session', 's', '--state', '/no/such'], /cannot read the state in "\/no\/such"/],
  [['vote', '--sample', 'dog', '--participants', '1'], /--participants.*2 to 15/],
  [['vote', '--sample', 'dog', '--mode', 'SLOW'], /SLOW.*PARALLEL, STAGED/],
  [['coordinate', '--sample', 'dog'], /required option '-t, --teachers <names>' not specified/],
  [['coordinate', '--sample', 'dog', '--teachers', 'a,,b'], /--teachers "a,,b" has an empty name/],
  [['batch'], /give either a file .* or --sample/],
  [['batch', 'inputs.jsonl', '--sample', 'dog'], /give either a file .* or --sample/],
  [['batch', '--sample', 'unicorn'], /there is no sample "unicorn"/],
  [['batch', '/no/such/file'], /cannot read "\/no\/such\/file"/],
  [['batch', 'inputs.jsonl', '--chunk', '0'], /--chunk.*1 to 100000/],
  [['stream', '/no/such/file'], /cannot read "\/no\/such\/file"/],
  [['events', '--after', 'soon'], /--after.*whole number/],
  [['publish', 'user.x', 'hello', '--data', 'z'], /It must be key=value/],
  [['engines', 'drain'], /missing required argument 'id'/],
  [['engines', 'strategy', 'LUCK'], /LUCK.*ROUND_ROBIN/],
  [['metrics', '--interval-ms', '500'], /--interval-ms goes with --watch/],
  [['metrics', '--watch', '--reset'], /'--reset' cannot be used with option '-w, --watch'/],
  [['learn', 'pets.csv'], /give a file of examples, and --student/],
  [['learn', 'rollback', 'pets', 'newest'], /newest.*whole number/],
  [['models', 'add', '/no/such.nir'], /there is no file \/no\/such\.nir/],
  [['models', 'import', 'net.nir', '--from', 'pytorch'], /pytorch.*snntorch, norse/],
  [['replay', '/no/such/file'], /cannot read "\/no\/such\/file"/],
  [['query'], /missing required argument/],
  [['config', 'check', file('wrong.yaml', 'stratgy: FASTEST')], /stratgy.*strategy/],
  [['config', 'print', '/no/such.yaml'], /cannot read settings file "\/no\/such\.yaml"/],
  [['completion', 'tcsh'], /tcsh.*bash, zsh, fish/],
  [['ping', '--cert', 'client.pem'], /--cert and --key go together/],
  [['ping', '--token', 't', '--address', '10.0.0.7:50051'], /--token needs --ca/],
  [['ping', '--ca', '/no/such.pem'], /the TLS files cannot be used: ENOENT/],
];

const UNREACHABLE: [words: string[], message: RegExp][] = [
  [['ping'], /no router answers at 127\.0\.0\.1:1; start one with "npm start", or say where it is with --address/],
  [['reason', '--sample', 'dog'], /no router answers at 127\.0\.0\.1:1/],
  [['health'], /no router answers at 127\.0\.0\.1:1/],
  [['ping', '--address', 'unix:/no/such.sock'], /no router answers at unix:\/no\/such\.sock/],
  [['ping', '--address', 'no.such.host.invalid:50051'], /no router answers at no\.such\.host\.invalid:50051/],
];

describe('a wrong call', () => {
  it.each(USAGE)('exits with 2 and names the error: %j', async (words, message) => {
    const { code, stdout, stderr } = await callTandem(words);
    expect([code, stderr + stdout]).toEqual([2, expect.stringMatching(message)]);
  });

  it.each(UNREACHABLE)('exits with 3 if no router runs: %j', async (words, message) => {
    const { code, stderr } = await callTandem([...words.slice(0, 1), '--address', '127.0.0.1:1', ...words.slice(1)]);
    expect([code, stderr]).toEqual([3, expect.stringMatching(message)]);
  });

  it.each([
    [['reason', '--json'], 2, 'USAGE', /^give one input/],
    [['raeson', '--json'], 2, 'USAGE', /^unknown command 'raeson'/],
    [['ping', '--json', '--timeout-ms', 'soon'], 2, 'USAGE', /It must be a whole number/],
    [['ping', '--json', '--address', '127.0.0.1:1'], 3, 'UNAVAILABLE', /^no router answers/],
  ])('prints JSON if --json is set: %j', async (words, exitCode, code, message) => {
    const called = await callTandem(words);
    expect(called.code).toBe(exitCode);
    expect(JSON.parse(called.stderr)).toEqual({ error: { code, message: expect.stringMatching(message), exitCode } });
  });
});
