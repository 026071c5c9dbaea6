import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { Refusal } from '../../../domain/kit/index.js';
import { formatPosition } from '../../../platform/eventstore/port.js';
import type { HistoricalQuestion } from '../../../projections/features/history/historical.js';
import type { Core } from '../../core.js';
import { asOfJson, asOfRequestOf, historicalQuestionOf, offlineQuestionOf } from '../../features/history-json.js';
import { contentTypeOf, formatOf } from '../../features/formats.js';
import { featureHistory, tablesOf, type FeatureHistory } from '../../features/history.js';
import { Observer } from '../../observer.js';
import { CORE } from '../../operations.js';
import { routerPath } from '../paths.js';
import { restContext } from '../request.js';
import { ColumnsBody, CsvBody, NdjsonBody } from './bodies.js';
import { historyFieldsOf } from './history-query.js';

/** Reading the past of features over REST. */
@Controller()
export class FeatureHistoryController {
  private readonly history: FeatureHistory;

  constructor(
    @Inject(CORE) core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {
    this.history = featureHistory(core);
  }

  /** `{ features, entities, at, knownAt, fullNames }`: the values of a few entities at a past moment. */
  @Post(routerPath('/api/v1/projects/{project}/features:readAsOf'))
  @HttpCode(200)
  async readAsOf(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<ReturnType<typeof asOfJson>> {
    return this.observer.observe('rest', 'ReadAsOf', restContext(request), async (context) => {
      const { request: wanted, entities } = asOfRequestOf(bodyOf(request));
      const answer = await this.history.readAsOf(wanted, context);
      reply.header('tarl-position', formatPosition(answer.known.position));
      return asOfJson(answer, entities);
    });
  }

  /** `{ features, entities, start, end, knownAt, fullNames }`: the history of chosen entities, in the format that `Accept` names. */
  @Post(routerPath('/api/v1/projects/{project}/features:readOffline'))
  @HttpCode(200)
  readOffline(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.stream('ReadOffline', request, reply, (raw) => offlineQuestionOf(raw));
  }

  /**
   * `{ features, aliases, rows, timeColumn, knownAt, fullNames, start, end }`: a training set, in the format that `Accept`
   * names. Rows may also be the whole body, as NDJSON, CSV, Arrow or Parquet; the other fields then stand in the query string.
   */
  @Post(routerPath('/api/v1/projects/{project}/features:historical'))
  @HttpCode(200)
  historical(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.stream('GetHistoricalFeatures', request, reply, historicalQuestionOf);
  }

  /** Sends the answer as fast as the client takes it; stops reading when the client has gone. */
  private async stream(operation: string, request: FastifyRequest, reply: FastifyReply, questionOf: (raw: unknown, columns?: ColumnsBody) => HistoricalQuestion): Promise<void> {
    await this.observer.observe('rest', operation, restContext(request), async (context) => {
      const format = formatOf(request.headers.accept);
      const question = questionOf(bodyOf(request), request.body instanceof ColumnsBody ? request.body : undefined);
      const answer = await this.history.historical(question, context);
      const pieces = Readable.from(format.write(tablesOf(answer), timeColumnOf(question)), { objectMode: true, highWaterMark: 2 });
      // The status has been sent by then, so the client sees a broken answer and the log must say why.
      pieces.once('error', (error) => this.observer.failed('rest', operation, error, context.traceparent));
      reply.header('tarl-position', formatPosition(answer.known.position)).type(contentTypeOf(format));
      await reply.send(pieces);
    });
  }
}

/** The column of the request that holds the times of its rows. */
const timeColumnOf = ({ rows }: HistoricalQuestion): string | undefined => ('timeColumn' in rows ? rows.timeColumn : undefined);

export function bodyOf({ body, query, params }: FastifyRequest): object {
  if (body instanceof ColumnsBody) return { ...historyFieldsOf(query as Record<string, unknown>), ...(params as object) };
  if (body instanceof NdjsonBody || body instanceof CsvBody) return { ...historyFieldsOf(query as Record<string, unknown>), rows: body.values, ...(params as object) };
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body, ...(params as object) };
  throw new Refusal('INVALID_ARGUMENT', 'The body must be a JSON object, NDJSON, CSV, Arrow or Parquet', { reason: 'INVALID_BODY' });
}
