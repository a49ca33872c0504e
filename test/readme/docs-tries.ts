// The tries of the commands and examples that only docs/ has.
import { type Try, exactly, explained, get } from './try.ts';

const GOAL =
  'npx tandem agents goal "Cut the p99 latency of the API to under 100 ms by March 1, without new hardware."';

export const DOCS_TRIES: readonly Try[] = [
  // Corpora
  { what: 'npx tandem corpus add notes docs', beside: 'npm start', prints: /^corpus notes: \d+ documents/m },
  { what: 'npx tandem corpus index notes', beside: 'npm start', prints: /passages indexed, labelled by/ },
  {
    ...{ what: 'npx tandem query "How are engines chosen?" --corpus notes', beside: 'npm start' },
    prints: /^1\. \w+/m,
  },
  {
    ...{
      what: 'npx tandem query "What does the router send?" --corpus notes --label noun.communication',
      beside: 'npm start',
    },
    prints: /^1\. \w+/m,
  },

  // Agents
  { what: GOAL, beside: 'npm start', prints: /^Success criteria$/m },
  {
    ...{ what: 'Cut the p99 latency of the API to under 100 ms', beside: 'npm start', runs: GOAL },
    ...{ because: 'it prints that', prints: exactly },
  },
  {
    ...{
      what: 'npx tandem agents decompose "First build the app, then test it. Meanwhile, write the manual. Finally, announce it."',
    },
    ...{ beside: 'npm start', prints: /Test it \(about/ },
  },
  {
    what: 'npx tandem mcp --http-port 3000',
    beside: 'npm start',
    goesOn: true,
    prints: /http:\/\/127\.0\.0\.1:3000\/mcp/,
  },

  // Clients
  {
    what: `curl -s -d '{"inputs": [{"name": "input", "datatype": "FP32", "shape": [3], "data": [1, 2, 3]}]}' 127.0.0.1:8080/v2/models/supersense/infer`,
    ...{ beside: 'npm start', prints: /send 768 numbers/ },
  },

  // Learning
  {
    what: 'npx tandem coordinate --sample dog --teachers supersense',
    ...{ beside: 'npm start', prints: /noun\.animal/ },
  },
  {
    ...{ what: 'npx tandem coordinate --sample dog --teachers supersense,my-model/2', beside: 'npm start' },
    runs: 'npx tandem coordinate --sample dog --teachers supersense/1',
    ...{ because: 'my-model is not shipped', prints: /noun\.animal/ },
  },
  {
    what: 'npx tandem learn pets.csv --student pets --labels cat,dog',
    ...{ beside: 'npm start', prints: /^version 1 is in use$/m },
  },
  {
    what: 'npx tandem learn examples.jsonl --student pupil --teachers teacher-a,teacher-b --commit-every 1000',
    ...{
      beside: 'npm start',
      runs: 'npx tandem learn examples.jsonl --student pupil --teachers supersense --commit-every 1000',
    },
    ...{ because: 'one teacher is shipped', prints: /^10 examples learnt/m },
  },
  { what: 'npx tandem reason numbers.json --model pets', beside: 'npm start', prints: /^(?:cat|dog), confidence/m },
  { what: 'npx tandem learn state pets', beside: 'npm start', prints: /pets/ },
  {
    ...{ what: 'npx tandem learn rollback pets 1', beside: 'npm start' },
    runs: 'npx tandem learn pets.csv --student pets --labels cat,dog && npx tandem learn rollback pets 1',
    ...{ because: 'it wants a later version to go back from', prints: /pets/ },
  },
  { what: 'npx tandem operations', beside: 'npm start', prints: /learn-/ },
  {
    what: 'npx tandem learn replay .tandem/learning/pets.log',
    beside: 'npm start',
    prints: /the same bits; state [0-9a-f]{16}/,
  },
  {
    what: 'sidecar-cpp/build/release/tandem-engine learn-replay .tandem/learning/pets.log',
    ...{ beside: 'npm start', prints: /^state [0-9a-f]{16}$/m },
  },

  // Own network
  { what: 'npx tandem models load net', beside: 'npm start', prints: /is served/ },
  {
    ...{ what: 'npm run conformance', beside: 'nothing', runs: 'npm run conformance -- --help' },
    ...{ because: 'it installs every framework', prints: /Usage|Examples?:/ },
  },

  // Observability
  { what: 'npx tandem engines', beside: 'npm start', prints: /^engine-1 +.* ready /m },
  {
    ...{ what: 'http://127.0.0.1:8080/metrics', beside: 'npm start', runs: get('http://127.0.0.1:8080/metrics') },
    ...{ because: 'a browser opens it', prints: /^tandem_requests_total\{/m },
  },
  {
    ...{ what: 'http://127.0.0.1:8080/readyz', beside: 'npm start', runs: get('http://127.0.0.1:8080/readyz') },
    ...{ because: 'a browser opens it', prints: /engines ready/ },
  },
  {
    ...{ what: 'npx tandem events --topic security', beside: 'npm start', goesOn: true, prints: /^/ },
  },

  {
    ...{ what: 'http://127.0.0.1:8080/docs/', beside: 'npm start', runs: get('http://127.0.0.1:8080/docs/') },
    ...{ because: 'a browser opens it', prints: /Documentation/ },
  },
  { what: 'npx tandem metrics --reset', beside: 'npm start', prints: /Reason/ },

  // Questions
  {
    ...{ what: 'npm start -- --engines 3', beside: 'nothing', runs: 'npm start -- --help' },
    ...{ because: 'npm start itself is tried above', prints: /--engines/ },
  },
  {
    ...{ what: 'npx tandem engines add NAME ADDRESS', beside: 'npm start', runs: 'npx tandem engines add --help' },
    ...{ because: 'no engine runs elsewhere', prints: /^Examples?: /m },
  },

  // Performance, voting
  explained('npx node test/load/versus.ts', ''),
  explained('npx node test/load/second-caller.ts', ''),
  explained('npx node test/load/tls-cost.ts', ''),
  explained('npx node test/load/tls-renewal.ts', ''),
  {
    ...{ what: 'npm run bench -- --only path', beside: 'nothing', runs: 'npm run bench -- --help' },
    ...{ because: 'measuring takes long', prints: /--only/ },
  },
  explained('npx node test/load/bridge.ts', ''),
  {
    ...{ what: 'npm run demo -- vote', beside: 'nothing', goesOn: true, prints: /vote/ },
  },
];
