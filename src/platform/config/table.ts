import type { z } from 'zod';
import { settings, variableOf } from './config.js';

export const tableStart = '<!-- settings:start -->';
export const tableEnd = '<!-- settings:end -->';

/** The README's table of settings, in Markdown. */
export function settingsTable(): string {
  const rows = Object.entries(settings.shape).map(
    ([name, schema]) => `| \`${variableOf(name)}\` | ${defaultOf(schema)} | ${schema.description} |`,
  );
  return ['| setting | default | what it is |', '|---|---|---|', ...rows].join('\n');
}

/** Puts the table between its two marks; fails where they are missing. */
export function withSettingsTable(readme: string): string {
  const [before, rest] = readme.split(tableStart);
  const after = rest?.split(tableEnd)[1];
  if (after === undefined) throw new Error(`README.md has lost its marks ${tableStart} and ${tableEnd}`);
  return `${before}${tableStart}\n${settingsTable()}\n${tableEnd}${after}`;
}

function defaultOf(schema: z.ZodType): string {
  const empty = schema.safeParse(undefined);
  return empty.success && empty.data !== undefined ? `\`${String(empty.data)}\`` : '';
}
