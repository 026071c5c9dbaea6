import { readFile, writeFile } from 'node:fs/promises';
import { withSettingsTable } from './table.js';

/** `npm run readme:settings`: brings the README's table of settings up to date. */
await writeFile('README.md', withSettingsTable(await readFile('README.md', 'utf8')));
