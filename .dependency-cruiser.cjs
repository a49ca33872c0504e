// The floors of services/: a folder imports only lower floors, and no cycles anywhere. `npm run check` holds them.
//
//   F4  api  dashboard  mcp   cli (a client: generated/, core/, config/; models/ and importing/ for `models import`, learning/ for
//                             `learn replay`, corpora/ for `corpus`, mcp/ for `mcp`)
//   F3  learning  agents    importing  operations
//   F2  routing  publishing
//   F1  auth  sessions  engines (also grpc/)  strategies  voting  cache  batching  models  inputs  corpora  telemetry   grpc (http2/ only)
//   F0  core  config          http2          generated (imported by api/, engines/, mcp/, cli/ and clients/ only)
//
// clients/ is what others install: it imports generated/ and nothing else of services/.
// mcp/ is a client, too, of core/ and generated/. Folders of one floor do not import each other, but config may import core, and engines/ may import grpc/: the engine
// streams go over the same code as the API. http2/ and grpc/ know nothing of the rest. main.ts wires everything together, with the
// help of composition/, which may import all of them and which it alone imports; and only start.ts, the program, imports
// main.ts. A unit test may also import its own floor, whatever test/ offers, and development packages.

const F1 = [
  'auth',
  'sessions',
  'strategies',
  'voting',
  'cache',
  'batching',
  'models',
  'inputs',
  'corpora',
  'telemetry',
];
const F2 = ['routing', 'publishing'];
const F3 = ['learning', 'agents', 'importing', 'operations'];
const F4 = ['api', 'dashboard'];
const FOLDERS = [
  'core',
  'config',
  'generated',
  'http2',
  'grpc',
  'engines',
  ...F1,
  ...F2,
  ...F3,
  ...F4,
  'mcp',
  'cli',
  'composition',
  'clients',
];
const MAY_IMPORT_GENERATED = ['api', 'engines', 'cli', 'mcp', 'clients', 'generated'];

const TEST = '[.]test[.]ts$';
const inFolders = (...names) => `^services/(${names.join('|')})/`;

// Each folder of `folders` imports itself and `below`; its tests `all` of the floor and `below`. Who may import generated/
// is a rule of its own.
function floor(name, folders, below, all = folders) {
  const rest = [...below, 'generated'];
  return [
    {
      name,
      comment: `services/{${folders.join(',')}} may import ${below.join(', ')}, and not each other`,
      severity: 'error',
      from: { path: inFolders(...folders), pathNot: TEST },
      to: { path: '^services/', pathNot: `^services/($1|${rest.join('|')})/` },
    },
    {
      name: `${name}-tests`,
      comment: `a test in services/{${folders.join(',')}} may import ${[...all, ...below].join(', ')}`,
      severity: 'error',
      from: { path: `${inFolders(...folders)}.*${TEST}` },
      to: { path: '^services/', pathNot: inFolders(...all, ...rest) },
    },
  ];
}

const F0 = ['core', 'config'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'F0-core',
      comment: 'services/core imports nothing but itself and Node.js',
      severity: 'error',
      from: { path: inFolders('core'), pathNot: TEST },
      to: { pathNot: inFolders('core'), dependencyTypesNot: ['core'] },
    },
    {
      name: 'F0-core-tests',
      comment: 'a test in services/core may import core, test/ and packages',
      severity: 'error',
      from: { path: `${inFolders('core')}.*${TEST}` },
      to: { path: '^services/', pathNot: inFolders('core') },
    },
    {
      name: 'F0-config',
      comment: 'services/config may import core, zod, yaml, fastest-levenshtein and Node.js',
      severity: 'error',
      from: { path: inFolders('config'), pathNot: TEST },
      to: {
        pathNot: ['^services/(core|config)/', '(^|/)node_modules/(zod|yaml|fastest-levenshtein)/'],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'F0-config-tests',
      comment: 'a test in services/config may import core, config, test/ and packages',
      severity: 'error',
      from: { path: `${inFolders('config')}.*${TEST}` },
      to: { path: '^services/', pathNot: inFolders('core', 'config') },
    },
    {
      name: 'F0-http2',
      comment: 'services/http2 imports nothing but itself and Node.js',
      severity: 'error',
      from: { path: inFolders('http2'), pathNot: TEST },
      to: { pathNot: inFolders('http2'), dependencyTypesNot: ['core'] },
    },
    {
      name: 'F1-grpc',
      comment: 'services/grpc imports nothing but itself, http2/ and Node.js',
      severity: 'error',
      from: { path: inFolders('grpc'), pathNot: TEST },
      to: { pathNot: inFolders('grpc', 'http2'), dependencyTypesNot: ['core'] },
    },
    {
      name: 'http2-grpc-tests',
      comment: 'a test in services/{http2,grpc} may import both, test/ and packages',
      severity: 'error',
      from: { path: `${inFolders('http2', 'grpc')}.*${TEST}` },
      to: { path: '^services/', pathNot: inFolders('http2', 'grpc') },
    },
    ...floor('F1', F1, F0, [...F1, 'engines']),
    ...floor('F1-engines', ['engines'], [...F0, 'grpc'], [...F1, 'engines']),
    ...floor('F2', F2, [...F0, ...F1, 'engines']),
    ...floor('F3', F3, [...F0, ...F1, 'engines', ...F2]),
    ...floor('F4', F4, [...F0, ...F1, 'engines', ...F2, ...F3, 'grpc']),
    ...floor('F4-mcp', ['mcp'], ['core']),
    ...floor('clients', ['clients'], []),
    ...floor('F4-cli', ['cli'], [...F0, 'models', 'inputs', 'corpora', 'importing', 'learning', 'mcp']),
    {
      name: 'generated-where',
      comment:
        'the wire format is known to api/, engines/, mcp/, cli/ and clients/ only (and to main.ts, tests and benchmarks)',
      severity: 'error',
      from: { path: '^services/[^/]+/', pathNot: [inFolders(...MAY_IMPORT_GENERATED), TEST] },
      to: { path: inFolders('generated') },
    },
    {
      name: 'no-other-folder',
      comment: 'a new folder in services/ belongs on a floor: add it to .dependency-cruiser.cjs and DESIGN',
      severity: 'error',
      from: { path: '^services/[^/]+/', pathNot: inFolders(...FOLDERS) },
      to: {},
    },
    {
      name: 'only-start-imports-main',
      comment: 'main.ts wires and start.ts runs it; what others need of them belongs on a floor',
      severity: 'error',
      from: { path: '^services/', pathNot: [TEST, '^services/start[.]ts$'] },
      to: { path: '^services/(main|start)[.]ts$' },
    },
    {
      name: 'only-main-imports-composition',
      comment: 'composition/ is main.ts in smaller files; what others need of it belongs on a floor',
      severity: 'error',
      from: { path: '^services/', pathNot: [TEST, '^services/main[.]ts$', inFolders('composition')] },
      to: { path: inFolders('composition') },
    },
    {
      name: 'no-test-code-in-services',
      comment: 'what is shipped does not import tests, fakes or benchmarks',
      severity: 'error',
      from: { path: '^services/', pathNot: TEST },
      to: { path: ['^test/', '^scripts/', TEST] },
    },
    {
      name: 'no-development-packages',
      comment: 'what is shipped imports `dependencies` of package.json only',
      severity: 'error',
      from: { path: '^services/', pathNot: [TEST, '^services/generated/'] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^services/clients/[^/]+/(build|target)/' },
    // `import type` is an import: a type from a higher floor ties the lower one to it just as well.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
