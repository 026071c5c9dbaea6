import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../../../domain/kit/index.js';
import { encodingFault } from '../encoding.js';
import { CsvBody, readCsv } from './csv.js';
import { NdjsonBody, readNdjson, readNdjsonExactly } from './ndjson.js';
import { ColumnsBody, readArrow, readParquet } from './columns-body.js';

export { ColumnsBody, CsvBody, NdjsonBody };

/** A body that is read while it comes, by the handler. */
export class StreamedBody {
  constructor(
    readonly mediaType: RowsMediaType,
    readonly bytes: AsyncIterable<Buffer>,
  ) {}
}

const readers = {
  'application/x-ndjson': readNdjson,
  'text/csv': readCsv,
  'application/vnd.apache.parquet': readParquet,
  'application/vnd.apache.arrow.stream': readArrow,
  'application/vnd.apache.arrow.file': readArrow,
} satisfies Record<string, (body: Buffer) => unknown>;

/** The media types in which rows may be sent. */
export type RowsMediaType = keyof typeof readers;
export const rowsMediaTypes = Object.keys(readers) as RowsMediaType[];

/** Addresses whose bodies may be larger than memory. */
const streamed = /\/rows::import$/;

/** Addresses that give columns of their callers back, whatever they are; and those of Feast's clients, which know whole numbers alone. */
const exact = /\/(features::historical|training-sets|push|get-online-features)$/;

/** Whether whole numbers must keep all their digits. The cells of all these bodies stand in a list or object within another within the body. */
export const keepsDigits = ({ routeOptions, method }: FastifyRequest): boolean => method === 'POST' && exact.test(routeOptions.url ?? '');

/** Takes bodies of rows in their formats: whole, up to the limit of the server, or as a stream where the address imports. */
export function parseRows(fastify: FastifyInstance): void {
  for (const mediaType of rowsMediaTypes) {
    fastify.addContentTypeParser(mediaType, async (request: FastifyRequest, payload: AsyncIterable<Buffer>) => {
      const fault = encodingFault(request);
      if (fault) throw fault;
      if (streamed.test(request.routeOptions.url ?? '')) return new StreamedBody(mediaType, payload);
      const body = await collected(payload, request.routeOptions.bodyLimit);
      return mediaType === 'application/x-ndjson' && keepsDigits(request) ? readNdjsonExactly(body) : readers[mediaType](body);
    });
  }
}

async function collected(payload: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of payload) {
    bytes += piece.length;
    if (bytes > limit) throw new Refusal('RESOURCE_EXHAUSTED', 'The body is too large', { reason: 'BODY_TOO_LARGE' });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** The fields of a body that is one JSON object, or that holds rows a line. */
export function bodyOf({ body }: FastifyRequest): object {
  if (body instanceof NdjsonBody) return { rows: body.values };
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Refusal('INVALID_ARGUMENT', 'The body must be a JSON object', { reason: 'INVALID_BODY' });
}
