import type { HttpRoute } from '../../commands/kit/command.js';
import { quarantineQueries } from '../../projections/features/quarantine/queries.js';

/** A refused row as the platform shows it. */
export interface ShownRow {
  readonly id: string;
  readonly group: string;
  readonly entity: Readonly<Record<string, unknown>>;
  readonly eventTime: unknown;
  readonly values: Readonly<Record<string, unknown>>;
  readonly faults: readonly { readonly field: string; readonly description: string }[];
  readonly source: string;
}

export const listRoute: HttpRoute = quarantineQueries.find(({ name }) => name === 'ListQuarantinedRows')!.http;
export const mendRoute: HttpRoute = { method: 'POST', path: '/api/v1/projects/{project}/quarantined-rows/{id}:mend' };
export const discardRoute: HttpRoute = { method: 'POST', path: '/api/v1/projects/{project}/quarantined-rows:discard' };
