import { expect } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';

/** Compares a text with the golden file `test/golden/<name>`; `npm run goldens` writes it instead. */
export function expectGolden(name: string, text: string): void {
  const file = new URL(`../golden/${name}`, import.meta.url);
  if (process.env.TARL_GOLDENS === 'write') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
