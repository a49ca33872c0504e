// Tests run as native ES modules (see the "test" script); swc only strips the types, as Node itself does.
export default {
  testMatch: ['<rootDir>/services/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  // Those need a real Prometheus and a browser, a real PostgreSQL, a Docker Engine, a clone of their own, or six package
  // registries: `npm run test:telemetry`, `test:postgres`, `test:compose`, `test:readme` and `test:clients`.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...['telemetry', 'postgres', 'compose', 'readme', 'clients'].map((name) => `<rootDir>/test/${name}/`),
  ],
  // Copies of the code that `npm run test:mutants` makes.
  modulePathIgnorePatterns: ['<rootDir>/.cache/'],
  // The tests wait as much as they compute: on two cores a second worker halves their time.
  maxWorkers: '100%',
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/jest-setup.ts',
  globalTeardown: '<rootDir>/test/support/jest-teardown.ts',
  // Long, since other programs may keep the machine busy: only a test that hangs needs it.
  testTimeout: 60_000,
};
