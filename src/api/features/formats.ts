import { Refusal } from '../../domain/kit/index.js';
import { bestOf } from '../negotiate.js';
import { arrow, parquet } from './table-binary.js';
import { csv, json, ndjson, type TableFormat } from './table-text.js';

/** The formats by what a caller may ask for; the first where nothing in particular is asked for. */
const formats = {
  'application/x-ndjson': ndjson,
  'application/ndjson': ndjson,
  'text/csv': csv,
  'application/json': json,
  'application/vnd.apache.arrow.stream': arrow,
  'application/vnd.apache.parquet': parquet,
} satisfies Readonly<Record<string, TableFormat>>;

const offered = Object.keys(formats) as (keyof typeof formats)[];
const mediaTypes = [...new Set(Object.values(formats).map(({ mediaType }) => mediaType))];

/** The format that an `Accept` header likes best. */
export function formatOf(accept: string | undefined): TableFormat {
  const best = bestOf(accept, offered);
  if (best !== undefined) return formats[best];
  const description = `takes ${mediaTypes.slice(0, -1).join(', ')} or ${mediaTypes.at(-1)}`;
  throw new Refusal('INVALID_ARGUMENT', `Accept ${description}`, { reason: 'NOT_ACCEPTABLE', fields: [{ field: 'Accept', description }] });
}

/** The content type of an answer in the format. */
export const contentTypeOf = ({ mediaType }: TableFormat): string => (mediaType.includes('vnd.') ? mediaType : `${mediaType}; charset=utf-8`);
