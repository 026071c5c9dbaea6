/** Rows as aligned columns under a header, without columns that are empty in every row; numbers stand right. No text is cut. */
export function table(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => rows.some((row) => cell(row[name]) !== ''));
  const numeric = columns.map((name) => rows.length > 0 && rows.every((row) => isNumber(row[name])));
  const lines = [[...columns], ...rows.map((row) => columns.map((name) => cell(row[name])))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => width(line[at]!))));
  return lines.map((line) => line.map((text, at) => pad(text, widths[at]!, numeric[at]!)).join('  ').trimEnd()).join('\n');
}

/** One thing as a block: a name and its value on each line, then its lists of things, each as a table under its name. */
export function block(thing: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(thing).filter((name) => !areThings(thing[name]));
  const widest = Math.max(0, ...names.map((name) => name.length));
  const lines = names.map((name) => `${name.padEnd(widest)}  ${cell(thing[name])}`.trimEnd());
  const lists = Object.entries(thing).flatMap(([name, value]) => (areThings(value) ? [`\n${name}\n${table(value).replace(/^/gm, '  ')}`] : []));
  return [...lines, ...lists].join('\n');
}

/** A value as it reads within a table. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  // Line ends and control characters would break the table, or the terminal.
  // eslint-disable-next-line no-control-regex
  if (typeof value === 'string') return value.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => JSON.stringify(character).slice(1, -1));
  if (areThings(value) && JSON.stringify(value).length > longestList) return `${value.length} (see --json)`;
  if (Array.isArray(value)) return value.map((item) => (isTyped(item) ? `${item.name}:${item.type}` : cell(item))).join(', ');
  if (typeof value === 'object') return Object.keys(value).length === 0 ? '' : JSON.stringify(value);
  return String(value);
}

/** A list of things is written out within a cell up to so many characters. */
const longestList = 60;

/** A list of things that have no short form. */
const areThings = (value: unknown): value is readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item) && !isTyped(item));

/** A declared key or feature reads as it is declared on the command line. */
const isTyped = (item: unknown): item is { name: string; type: string } => typeof item === 'object' && item !== null && 'name' in item && 'type' in item;

const isNumber = (value: unknown): boolean => value === null || value === undefined || typeof value === 'number' || typeof value === 'bigint';

const pad = (text: string, to: number, right: boolean): string => {
  const space = ' '.repeat(to - width(text));
  return right ? space + text : text + space;
};

const width = (text: string): number => [...text].length;
