// The commands of README.md and docs/ that are not run, with the reason.

interface NotTried {
  /** The text on the page; for an example the first line. */
  readonly what: string;
  readonly because: string;
}

const PART = 'an option or a name in a sentence; its command is tried';
const part = (what: string): NotTried => ({ what, because: PART });

export const NOT_TRIED: readonly NotTried[] = [
  ...['import asyncio', 'pip install kserve'].map((what) => ({
    what,
    because: 'test/integration/oip.test.ts and oip-http.test.ts call the same rpcs; the package kserve is large',
  })),
  ...[
    'python -m grpc_tools.protoc -I proto --python_out=. --pyi_out=. --grpc_python_out=. proto/tandem/v1/*.proto',
    'protoc -I proto --go_out=. --go-grpc_out=. proto/tandem/v1/*.proto',
  ].map((what) => ({ what, because: '"npm run test:clients" makes and runs a client of each language' })),
  ...[
    'bridge: { listen: 127.0.0.1:8888 }      # off unless it is set; loopback or "unix:PATH" (no TLS)',
    '{"type":"error","error":"got 3 numbers; send 768 numbers","code":"INVALID_ARGUMENT","reason":"INPUT_LENGTH","field":"encoding"}',
    String.raw`bash -c 'exec 3<>/dev/tcp/127.0.0.1/8888; echo "{\"type\": \"reason\", \"text\": \"a small furry animal\"}" >&3; head -1 <&3'`,
    'from unified_neural_engine import UnifiedNeuralEngine',
  ].map((what) => ({
    what,
    because: 'the bridge is off in "npm start"; test/integration/bridge.test.ts has one, with this client',
  })),
  ...['npx tandem', 'npx tandem metrics', 'npx tandem models add'].map(part),
  ...['--as-version 3 --reload', '--check run.npz', '--from', '--base MODEL', '--commit-every', '--json'].map(part),
  ...['--sessions 500', '--address', '--ca', '--token', '--detail readout', 'source'].map(part),
  ...[
    '--heap-growing-percent=20',
    '--no-maglev',
    '--label',
    '--no-wait',
    '--dt',
    '--compare baseline',
    '--rounds 3 --seconds 4',
    '--in-flight 1',
    '--quick --json FILE',
    '--again FILE',
  ].map(part),
  ...['--seconds 60', '--seed SEED', '--pairs'].map(part),
  {
    what: 'listen: 0.0.0.0:50051',
    because: 'settings for other machines; test/integration/tls.test.ts starts a router with them',
  },
  {
    ...{
      what: 'npx tandem ping --address HOST:50051 --ca certs/ca.pem --cert certs/client.pem --key certs/client.key',
    },
    because: 'wants a router with TLS; test/integration/tls.test.ts has one',
  },
  {
    what: 'agents:',
    because: 'settings with the address of a language model; test/integration/agents.test.ts has a fake one',
  },
  {
    ...{
      what: '{ "mcpServers": { "tandem": { "command": "npx", "args": ["tandem", "mcp"], "cwd": "/path/to/tandem" } } }',
    },
    because: 'a file of another program; "npx tandem mcp" is tried',
  },
  { what: 'npm run accuracy -- --learning', because: 'it gets packages of some megabytes, and learns for minutes' },
  {
    what: 'import numpy as np',
    because: 'test/integration/oip.test.ts calls the same rpcs; the package tritonclient is large',
  },
  { what: "np.savez('run.npz', input=x, output=spikes)   # shape [steps, …]", because: 'runs in the user’s framework' },
  {
    what: 'input: {kind: series}',
    because: 'a part of model.yaml; test/integration/inputs.test.ts loads models with each key',
  },
  {
    ...{ what: 'WHAT                                          OURS   PEER    UNIT     RATIO' },
    because: 'figures of one run, which takes ten minutes; "npm run bench -- --only path" prints them',
  },
  ...[
    'SHARE            engines alone      HAProxy            nginx              Envoy              router',
    'ready                     169 MB',
    '                            supersense (shipped)      768-512-512-48, 32 steps, 8 % active',
    'FLOOD    P99 ALONE  CONTROL  BESIDE  OF ALONE  OF CONTROL  FAILED  SENT/S  ROUTER CPU',
  ].map((what) => ({ what, because: 'figures of one run, which takes minutes; the page names its command' })),
  {
    ...{ what: 'npm run bench -- --only path --rounds 3 --seconds 1' },
    because: 'it takes ten minutes; "npm run bench -- --only path" is tried by its help',
  },
  ...['memory', 'simulator'].map((part) => ({
    what: `npm run bench -- --only ${part}`,
    because: 'it takes minutes, and is tried by the same help',
  })),
  {
    what: 'reset: subtract_delayed',
    because: 'a part of model.yaml; services/engines/local/node-settings.test.ts reads settings of single nodes',
  },
  ...[
    "npm test -- services/voting/verdict.test.ts -t 'majority'",
    'npm test -- --cpp Simulator',
    'npm run generate',
    'npm run format',
    'npm run check -- floors',
    'npm run test:sim -- --seed SEED --only SCHEDULE',
    'npx tandem replay FILE',
  ].map((what) => ({ what, because: 'for developers, who run them in every change' })),
  {
    ...{ what: 'npx tandem operations cancel index-0123456789ab' },
    because: 'wants an operation that runs for long; services/api/index-corpus.test.ts cancels one',
  },
  {
    what: `python -c "import numpy as np; r = np.load('run.npz'); np.save('x.npy', r['input']); print(r['output'].sum(0))"`,
    because: 'wants a recording of the user’s own framework',
  },
  { what: 'npx tandem reason --model net --json x.npy', because: 'wants the same recording' },
  { what: 'deploy/models/', because: 'a folder’s layout; "npx tandem models import" makes it' },
  ...[
    'npx tandem reason --model gestures frames.npy',
    'npx tandem reason --model gestures recording.raw --from-us 0 --to-us 500000',
  ].map((what) => ({
    what,
    because: 'wants a model of events, which is not shipped; test/integration/inputs.test.ts has one',
  })),
];
