/** Tests are ES modules in TypeScript; SWC compiles them, `npm run typecheck` checks them. */
export default {
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { swcrc: true }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  setupFiles: ['<rootDir>/test/support/property-seed.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  // Far more than any test needs: what waits in vain says so itself, long before.
  testTimeout: 300_000,
  // Suites start servers of their own; more workers than this only make them wait for one another.
  maxWorkers: 2,
};
