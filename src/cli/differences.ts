import type { ViewComparison } from '../api/core.js';
import { whole } from './progress.js';
import { table } from './table.js';

/** How a view differs from what the log gives, as tables: counts by column, then the first rows with the event that made each differ. */
export function differences({ tables, rows }: ViewComparison): string {
  const counts = tables.map(({ columns, ...counted }) => ({ ...counted, columns: Object.entries(columns).map(([name, count]) => `${name}: ${whole.format(count)}`) }));
  const shown = rows.flatMap(({ kind, key, columns, event }) => {
    const place = event && `${event.type} ${event.stream}@${event.revision} at ${event.position}`;
    const first = { row: Object.values(key).join(' '), kind };
    return kind === 'changed' ? columns.map(({ name, live, replayed }) => ({ ...first, column: name, live, replayed, 'first event': place })) : [{ ...first, 'first event': place }];
  });
  return shown.length > 0 ? `${table(counts)}\n\n${table(shown)}` : table(counts);
}
