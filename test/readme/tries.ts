// How each command, example and figure of README.md is tried, and what must come of it.

/** What runs meanwhile. */
export type Beside = 'nothing' | 'npm start' | 'docker compose up';

export interface Try {
  /** As it stands in the README; of an example or a figure the first line. */
  readonly what: string;
  readonly beside: Beside;
  /** What is run, where that is not the command itself; `because` says why. */
  readonly runs?: string;
  readonly because?: string;
  /** The file that an example is written to first. */
  readonly file?: string;
  /** It goes on until Ctrl-C, which it gets when it has printed what it must. */
  readonly goesOn?: boolean;
  readonly prints: RegExp | ((text: string) => RegExp);
}

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
const exactly = (text: string): RegExp => new RegExp(`^${literal(text)}$`, 'm');

/** The rows of the bench's table by their names; figures are of one run, on one machine. */
function sameRows(table: string): RegExp {
  const [, ...rows] = table.split('\n');
  const names = rows.map((row) => /^.*?\S(?= {2,}[\d.]+ )/.exec(row)?.[0] ?? row);
  const list = names.map((name) => name.replaceAll(/(snnTorch|PyTorch) [^\s,]+/g, '$1 VERSION')).join('\n');
  return new RegExp(`(?:^|\\n)${literal(list)}\\n$`);
}

const get = (url: string): string => `npx node -e 'fetch("${url}").then((got) => got.text()).then(console.log)'`;

const explained = (script: string): Try => ({
  what: script,
  beside: 'nothing',
  runs: `${script} -- --help`,
  because: 'it is a suite of its own and takes long',
  prints: /^Examples?: /m,
});

export const TRIES: readonly Try[] = [
  // Two commands
  { what: 'npm start', beside: 'nothing', goesOn: true, prints: /Try it: {2}npx tandem reason --sample dog\n.*Ctrl-C/ },
  explained('npm test'),

  // First call
  { what: 'npx tandem reason --sample dog', beside: 'npm start', prints: /^noun\.animal, confidence [\d.]+ %$/m },
  {
    ...{ what: "import * as grpc from '@grpc/grpc-js';", beside: 'npm start', file: 'call.ts' },
    ...{ runs: 'npx node call.ts', because: 'it is TypeScript', prints: /label: '[a-z]+\.[a-z]+'/i },
  },
  { what: 'npx node call.ts', beside: 'npm start', prints: /label: '[a-z]+\.[a-z]+'/i },
  {
    ...{
      what: 'pip install grpcio-tools',
      beside: 'npm start',
      runs: 'python3 -m venv .cache/venv && .cache/venv/bin/pip install -q grpcio-tools',
    },
    ...{ because: 'the README wants a virtual environment', prints: /^/ },
  },
  {
    ...{
      what: 'import grpc',
      beside: 'npm start',
      file: 'call.py',
      runs: 'PYTHONPATH=proto .cache/venv/bin/python call.py',
    },
    ...{ because: 'it is Python', prints: /^label: "[a-z]+\.[a-z]+"$/im },
  },
  {
    ...{
      what: 'PYTHONPATH=proto python call.py',
      beside: 'npm start',
      runs: 'PATH=.cache/venv/bin:$PATH PYTHONPATH=proto python call.py',
    },
    ...{ because: 'the virtual environment is not activated here', prints: /^label: "[a-z]+\.[a-z]+"$/im },
  },
  {
    what: `grpcurl -plaintext -d '{"text": "a small furry animal"}' 127.0.0.1:50051 tandem.v1.ReasoningService/Reason`,
    ...{ beside: 'npm start', prints: /"label": "[a-z]+\.[a-z]+"/i },
  },
  { what: 'npx tandem batch inputs.jsonl', beside: 'npm start', prints: /^answered 2, failed 0/m },
  { what: 'npx tandem stream inputs.jsonl', beside: 'npm start', prints: /^answered 2, failed 0/m },
  {
    what: 'tandem: INVALID_ARGUMENT (INPUT_LENGTH): got 767 numbers; send 768 numbers',
    beside: 'npm start',
    runs: `! (node -p 'JSON.stringify(Array(767).fill(0.03))' | npx tandem reason -)`,
    because: 'it says what 767 numbers get',
    prints: exactly,
  },

  // Sessions
  {
    what: 'npx tandem reason --sample dog --session robot-7',
    beside: 'npm start',
    prints: /^session robot-7 opened, at step 16;/m,
  },
  {
    what: 'npx tandem reason --sample dog --session robot-7 --expected-step 16 --save-state robot-7.state',
    beside: 'npm start',
    prints: /^session robot-7 at step 32, state of \d+ bytes;/m,
  },
  { what: 'npx tandem sessions', beside: 'npm start', prints: /^robot-7 .* 32 [^]*^1 open/m },
  { what: 'npx tandem sessions end robot-7', beside: 'npm start', prints: /^ended session robot-7 of supersense/m },
  {
    what: 'npx tandem reason --sample dog --session robot-8 --state robot-7.state',
    beside: 'npm start',
    prints: /^session robot-8 opened, at step 48;/m,
  },

  // Which engine answers, how far to trust it, see what happens
  {
    what: 'npx tandem engines strategy FASTEST',
    beside: 'npm start',
    prints: /^strategy FASTEST, before ROUND_ROBIN$/m,
  },
  { what: 'npx tandem metrics --watch', beside: 'npm start', goesOn: true, prints: /Reason.*\n[^]*local/ },
  { what: 'npx tandem vote --sample dog', beside: 'npm start', prints: /grade UNANIMOUS[^]*(?:agreed.*\n.*){3}/ },
  { what: 'npx tandem replay disputes.jsonl', beside: 'npm start', prints: /engine-1[^]*engine-2/ },
  {
    what: 'http://127.0.0.1:8080/',
    beside: 'npm start',
    runs: get('http://127.0.0.1:8080/'),
    because: 'a browser opens it',
    prints: /<!doctype html>/i,
  },
  {
    what: 'npx tandem events',
    beside: 'npm start',
    runs: 'npx tandem events --after 0',
    because: 'otherwise nothing may happen for long',
    goesOn: true,
    prints: /engine/,
  },
  {
    what: 'npx tandem reason --sample dog --detail raster',
    beside: 'npm start',
    prints: /^noun\.animal, confidence [\d.]+ %$/m,
  },
  {
    what: 'TANDEM_TRACING_RATIO=1 OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 OTEL_EXPORTER_OTLP_PROTOCOL=grpc npm start',
    ...{ beside: 'nothing', goesOn: true, prints: /Stop with Ctrl-C/ },
  },

  // The shipped model, performance
  { what: 'npm run accuracy', beside: 'nothing', prints: /held-out texts/ },
  {
    what: 'MODEL                 ACCURACY  MEAN CONFIDENCE  SPIKES/TEXT',
    beside: 'nothing',
    runs: 'npm run accuracy',
    because: 'it prints that',
    prints: exactly,
  },
  explained('npm run bench'),
  {
    what: 'npx node test/load/tracing-cost.ts',
    beside: 'nothing',
    runs: 'npx node test/load/tracing-cost.ts --help',
    because: 'measuring takes long',
    prints: /^Examples?: /m,
  },
  {
    what: 'WHAT                                                                  OURS  PEER   UNIT      RATIO',
    ...{
      beside: 'nothing',
      runs: 'npm run --silent bench -- --list',
      because: 'measuring takes long',
      prints: sameRows,
    },
  },

  // Further
  { what: 'npx tandem config print', beside: 'nothing', prints: /^listen: 0\.0\.0\.0:50051$/m },
  {
    ...{
      what: 'npx tandem config check FILE',
      beside: 'nothing',
      runs: 'npx tandem config check deploy/settings/router.yaml',
    },
    ...{ because: 'it wants a file', prints: /^settings are fine/m },
  },
  { what: 'npm run check', beside: 'nothing', prints: /^eslint +ok/m },
  ...['fuzz', 'faults', 'sim', 'telemetry', 'compose', 'portable', 'clients', 'readme', 'sanitizers'].map((suite) =>
    explained(`npm run test:${suite}`),
  ),
  { what: 'npx tandem --help', beside: 'nothing', prints: /^Examples: npx tandem reason --sample dog$/m },
  {
    ...{
      what: 'source <(npx tandem completion bash)',
      beside: 'nothing',
      runs: 'source <(npx tandem completion bash) && complete -p tandem',
    },
    ...{ because: 'else nothing shows', prints: /^complete .*tandem$/m },
  },

  // In containers
  { what: 'docker compose up', beside: 'nothing', goesOn: true, prints: /engine ready/ },
  {
    what: 'npx tandem reason --sample dog',
    beside: 'docker compose up',
    prints: /^noun\.animal, confidence [\d.]+ %$/m,
  },
  {
    what: 'http://127.0.0.1:8080/',
    beside: 'docker compose up',
    runs: get('http://127.0.0.1:8080/readyz'),
    because: 'a browser opens it',
    prints: /engines ready for supersense\/1/,
  },
  {
    what: 'http://127.0.0.1:16686/',
    beside: 'docker compose up',
    runs: `sleep 6; ${get('http://127.0.0.1:16686/api/services')}`,
    because: 'a browser opens it, and spans are sent every five seconds',
    prints: /tandem-router/,
  },
  {
    what: 'docker compose up -d --no-recreate --scale engine=5',
    beside: 'docker compose up',
    runs: 'docker compose up -d --no-recreate --scale engine=5 && docker compose ps -q engine | wc -l',
    because: 'they are counted',
    prints: /^5$/m,
  },
  {
    what: 'docker compose --profile metrics up -d',
    beside: 'docker compose up',
    runs: 'docker compose --profile metrics up -d || docker compose --profile metrics up -d prometheus',
    because: 'without Grafana where its image cannot be had',
    prints: /prometheus.* (?:done|Started)/,
  },
];
