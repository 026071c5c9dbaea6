import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { parseInput } from '../../../commands/kit/validate.js';
import { groupReference } from '../../../domain/features/reference.js';
import { resourceName } from '../../../domain/kit/index.js';
import type { Core } from '../../core.js';
import { contentTypeOf, formatOf } from '../../features/formats.js';
import { featureStore, type FeatureStore } from '../../features/store.js';
import { Observer } from '../../observer.js';
import { CORE } from '../../operations.js';
import { sharedGroupPath } from '../paths.js';
import { restContext } from '../request.js';

const exportInput = z.strictObject({ project: resourceName, group: groupReference, features: z.array(z.string().max(64)).max(1000).default([]) });

/** Getting all the latest values of a group out over REST. */
@Controller()
export class FeatureExportController {
  private readonly store: FeatureStore;

  constructor(
    @Inject(CORE) core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {
    this.store = featureStore(core);
  }

  /** The latest row of every entity, in the format that `Accept` names; `features` once for each feature, or none for all. */
  @Get(sharedGroupPath('/api/v1/projects/{project}/feature-groups/{group}/rows:export'))
  async exportRows(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.observer.observe('rest', 'ExportFeatureRows', restContext(request), async (context) => {
      const format = formatOf(request.headers.accept);
      const { features, ...query } = request.query as Record<string, unknown>;
      const asked = parseInput(exportInput, { ...query, ...(features !== undefined && { features: [features].flat() }), ...(request.params as object) });
      const tables = await this.store.exportOnline(asked, context);
      const pieces = Readable.from(format.write(tables), { objectMode: true, highWaterMark: 2 });
      // The status has been sent by then, so the client sees a broken answer and the log must say why.
      pieces.once('error', (error) => this.observer.failed('rest', 'ExportFeatureRows', error, context.traceparent));
      reply.type(contentTypeOf(format));
      await reply.send(pieces);
    });
  }
}
