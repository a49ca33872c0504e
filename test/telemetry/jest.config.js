// As `npm test`, for what needs more than that: a browser, a collector.
import ordinary from '../../jest.config.js';

export default {
  ...ordinary,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/telemetry/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 120_000,
};
