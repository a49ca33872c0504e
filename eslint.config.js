// Type-aware linting of our TypeScript. Layout is Prettier's, floors and cycles are dependency-cruiser's.
import { defineConfig, globalIgnores } from 'eslint/config';
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const READ_BY_CONFIG = 'Only services/config reads the environment: add a setting there and pass its value on.';

export default defineConfig(
  globalIgnores(['services/generated/', 'sidecar-cpp/', '.cache/', 'coverage/', 'deploy/', 'models-local/']),
  globalIgnores(['services/clients/*/build/', 'services/clients/*/target/', 'docs/examples/*/build/']),
  {
    // A suppression that no longer suppresses anything is an error too.
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['**/*.ts'],
    extends: [eslint.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-template-curly-in-string': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allow: [{ from: 'lib', name: ['Error', 'URL'] }] },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // Generated clients and several libraries describe plain functions as methods, and tests name methods in expect().
      '@typescript-eslint/unbound-method': 'off',
      // With noUncheckedIndexedAccess every element of a typed array needs its `!`, and the simulator is made of them.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['services/**/*.ts'],
    ignores: ['services/config/**'],
    rules: {
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: READ_BY_CONFIG }],
      'no-restricted-imports': [
        'error',
        {
          paths: ['process', 'node:process'].map((name) => ({
            name,
            importNames: ['env', 'default'],
            message: READ_BY_CONFIG,
          })),
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[property.name='env'] > MemberExpression[property.name='process']",
          message: READ_BY_CONFIG,
        },
      ],
    },
  },
  {
    // What the router has to say goes through its log; people read the console of a command.
    files: ['services/**/*.ts'],
    ignores: ['services/cli/**', 'services/start.ts', '**/*.test.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      // A fake may have to be async, or empty, to have the shape of what it stands for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    // The pages of the dashboard run in a browser.
    files: ['services/dashboard/assets/**/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['document', 'window', 'location', 'localStorage', 'fetch', 'setTimeout', 'clearTimeout', 'addEventListener']
          .concat(['dispatchEvent', 'matchMedia', 'getComputedStyle', 'scrollTo', 'Event', 'EventSource', 'Node'])
          .concat(['ResizeObserver', 'URLSearchParams', 'uPlot', 'atob', 'btoa', 'navigator', 'getSelection'])
          .map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    extends: [eslint.configs.recommended],
    languageOptions: { globals: { module: 'writable', require: 'readonly', process: 'readonly', console: 'readonly' } },
  },
);
