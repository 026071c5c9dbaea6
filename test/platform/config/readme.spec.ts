import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { withSettingsTable } from '../../../src/platform/config/table.js';

test('the README lists every setting with its default, as `npm run readme:settings` writes it', () => {
  const readme = readFileSync('README.md', 'utf8');
  expect(readme).toBe(withSettingsTable(readme));
});
