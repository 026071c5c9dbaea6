import { Refusal } from '../../domain/kit/index.js';
import { arrow, parquet } from './table-binary.js';
import { csv, json, ndjson, type TableFormat } from './table-text.js';

const formats: Readonly<Record<string, TableFormat>> = {
  'application/x-ndjson': ndjson, 'application/ndjson': ndjson, 'application/*': ndjson, '*/*': ndjson,
  'text/csv': csv, 'text/*': csv,
  'application/json': json,
  'application/vnd.apache.arrow.stream': arrow,
  'application/vnd.apache.parquet': parquet,
};

/** The first format of an `Accept` header that is known; NDJSON where nothing is asked for. */
export function formatOf(accept = '*/*'): TableFormat {
  const asked = accept.split(',').map((type) => type.split(';', 1)[0]!.trim().toLowerCase());
  const known = asked.find((type) => Object.hasOwn(formats, type));
  if (known !== undefined) return formats[known]!;
  throw new Refusal('INVALID_ARGUMENT', 'Tables come as application/x-ndjson, text/csv, application/json, application/vnd.apache.arrow.stream or application/vnd.apache.parquet', { reason: 'NOT_ACCEPTABLE' });
}

/** The content type of an answer in the format. */
export const contentTypeOf = ({ mediaType }: TableFormat): string => (mediaType.includes('vnd.') ? mediaType : `${mediaType}; charset=utf-8`);
