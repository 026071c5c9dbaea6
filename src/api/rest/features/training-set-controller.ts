import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { formatPosition } from '../../../platform/eventstore/port.js';
import type { Core } from '../../core.js';
import { contentTypeOf, formatOf } from '../../features/formats.js';
import { saveRequestOf } from '../../features/training-set-json.js';
import { saveTrainingSet, trainingSetRows, type SaveReply } from '../../features/training-sets.js';
import { Observer } from '../../observer.js';
import { CORE } from '../../operations.js';
import { routerPath } from '../paths.js';
import { restContext } from '../request.js';
import { ColumnsBody } from './bodies.js';
import { bodyOf } from './history-controller.js';

/** Saving training sets over REST, and their rows. */
@Controller()
export class TrainingSetController {
  constructor(
    @Inject(CORE) private readonly core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {}

  /** The question as for `features:historical`, with `trainingSet`, `owner`, `description`, `tags` and `storeRows` beside it. */
  @Post(routerPath('/api/v1/projects/{project}/training-sets'))
  @HttpCode(200)
  async save(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<SaveReply> {
    const saved = await this.observer.observe('rest', 'SaveTrainingSet', restContext(request), async (context) => saveTrainingSet(this.core, saveRequestOf(fieldsOf(request), request.body instanceof ColumnsBody ? request.body : undefined), context));
    reply.header('tarl-position', saved.position);
    return saved;
  }

  /** The rows in the format that `Accept` names. */
  @Get(routerPath('/api/v1/projects/{project}/training-sets/{trainingSet}/rows'))
  async rows(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.observer.observe('rest', 'DownloadTrainingSet', restContext(request), async (context) => {
      const format = formatOf(request.headers.accept);
      const { tables, known, deletedSince, timeColumn } = await trainingSetRows(this.core, request.params as { project: string; trainingSet: string }, context);
      const pieces = Readable.from(format.write(tables, timeColumn), { objectMode: true, highWaterMark: 2 });
      pieces.once('error', (error) => this.observer.failed('rest', 'DownloadTrainingSet', error, context.traceparent));
      reply.header('tarl-position', formatPosition(known.position)).header('tarl-deleted-since', String(deletedSince)).type(contentTypeOf(format));
      await reply.send(pieces);
    });
  }
}

/** Beside rows that fill the body, the other fields are texts of the query string. */
function fieldsOf(request: FastifyRequest): object {
  const fields = bodyOf(request) as Record<string, unknown>;
  const { storeRows } = fields;
  return typeof storeRows === 'string' ? { ...fields, storeRows: storeRows === 'true' ? true : storeRows === 'false' ? false : storeRows } : fields;
}
