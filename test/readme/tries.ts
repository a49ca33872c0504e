// The tries of each command, example and figure of README.md.
import { type Try, exactly, explained, get } from './try.ts';

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
  {
    what: 'npx tandem reason "a small furry animal"',
    beside: 'npm start',
    prints: /^[a-z]+\.[a-z]+, confidence [\d.]+ %$/im,
  },
  { what: 'npx tandem batch inputs.jsonl', beside: 'npm start', prints: /^answered 2, failed 0/m },
  { what: 'npx tandem stream inputs.jsonl', beside: 'npm start', prints: /^answered 2, failed 0/m },
  {
    what: 'tandem: INVALID_ARGUMENT (INPUT_LENGTH): got 767 numbers; send 768 numbers',
    beside: 'npm start',
    runs: `cd .cache && node -p 'JSON.stringify(Array(767).fill(0.03))' > input.json && ! npx tandem reason input.json`,
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

  // Your own models
  {
    what: 'npx tandem models import net.nir --from snntorch --into deploy/models',
    beside: 'npm start',
    prints: /snntorch/i,
  },
  { what: 'npx tandem models add net.nir', beside: 'npm start', prints: /^model net\/2 is served/m },
  { what: 'npx tandem reason input.json --model net', beside: 'npm start', prints: /confidence [\d.]+ %/ },
  { what: 'npx tandem models golden net', beside: 'npm start', prints: /golden/ },
  { what: 'npx tandem models unload net', beside: 'npm start', prints: /net/ },

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
  { what: 'npx tandem events --after 0', beside: 'npm start', goesOn: true, prints: /engine/ },
  {
    ...{ what: 'npx tandem engines drain engine-1', beside: 'npm start' },
    runs: 'npx tandem engines drain engine-1 && npx tandem engines readmit engine-1',
    ...{ because: 'the tries that follow use it, too', prints: /engine-1/ },
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

  // Learning, documents, agents
  {
    what: 'npx tandem learn docs/examples/mail.jsonl --student mail --base supersense-text --labels delivery,money --epochs 30',
    ...{ beside: 'npm start', prints: /^version 1 is in use$/m },
  },
  {
    what: 'npx tandem reason "the driver lost my parcel" --model mail',
    ...{ beside: 'npm start', prints: /^delivery, confidence/m },
  },
  { what: 'npx tandem corpus add manual docs', beside: 'npm start', prints: /^corpus manual: \d+ documents/m },
  {
    what: 'npx tandem query "How does an engine get out of quarantine?" --corpus manual',
    ...{ beside: 'npm start', prints: /^1\. \w+\.md/m },
  },
  {
    ...{ what: 'npm run demo -- vote', beside: 'nothing', prints: /engine-3 was outvoted and named/ },
  },
  {
    ...{ what: 'npx tandem mcp', beside: 'npm start', prints: /"result"/ },
    runs: `echo '{"jsonrpc": "2.0", "id": 1, "method": "ping"}' | npx tandem mcp`,
    because: 'it reads what the agent sends',
  },
  {
    ...{
      what: 'npx tandem agents goal "…"',
      beside: 'npm start',
      runs: 'npx tandem agents goal "Halve the p99 by March"',
    },
    ...{ because: 'it wants a goal', prints: /^Success criteria$/m },
  },
  {
    ...{ what: 'npx tandem agents decompose "…"', beside: 'npm start' },
    runs: 'npx tandem agents decompose "Build it, then test it"',
    ...{ because: 'it wants a task', prints: /test/i },
  },

  // The shipped model, performance
  { what: 'npm run accuracy', beside: 'nothing', prints: /held-out texts/ },
  {
    what: 'MODEL                                  ACCURACY  MEAN CONFIDENCE  SPIKES/TEXT',
    beside: 'nothing',
    runs: 'npm run accuracy',
    because: 'it prints that',
    prints: exactly,
  },
  explained('npm run bench'),
  explained('npx node test/load/tracing-cost.ts', ''),
  explained('npx node test/load/session-cost.ts', ''),
  explained('npx node test/load/bridge.ts', ''),

  // Further
  {
    ...{ what: 'npm start -- --config FILE', beside: 'nothing', runs: 'npm start -- --help' },
    ...{ because: '"npx tandem config check" reads a file, and npm start itself is tried', prints: /--config/ },
  },
  {
    ...{ what: 'npx tandem config token NAME --role reason', beside: 'nothing' },
    runs: 'npx tandem config token robot --role reason',
    ...{ because: 'it wants a name', prints: /robot/ },
  },
  { what: 'npx tandem config print', beside: 'nothing', prints: /^listen: 127\.0\.0\.1:50051$/m },
  {
    ...{
      what: 'npx tandem config check FILE',
      beside: 'nothing',
      runs: 'npx tandem config check deploy/settings/router.yaml',
    },
    ...{ because: 'it wants a file', prints: /^settings are fine/m },
  },
  { what: 'npm run check', beside: 'nothing', prints: /^eslint +ok/m },
  ...[
    'fuzz',
    'faults',
    'sim',
    'telemetry',
    'postgres',
    'compose',
    'portable',
    'clients',
    'readme',
    'sanitizers',
    'mcp',
    'edge',
  ].map((suite) => explained(`npm run test:${suite}`)),
  explained('npm run test:mutants -- --cpp', ''),
  explained('npm run demo'),
  explained('npm run demo -- robot', ''),
  { what: 'npx tandem config reload', beside: 'npm start', prints: /reload|nothing|no setting/i },
  { what: 'npx tandem --help', beside: 'nothing', prints: /^Examples: npx tandem reason --sample dog$/m },
  {
    ...{ what: 'npx tandem completion --help', beside: 'nothing' },
    runs: 'npx tandem completion --help && source <(npx tandem completion bash) && complete -p tandem',
    ...{ because: 'its example is tried, too', prints: /^complete .*tandem$/m },
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
