import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WriteReply } from '../../../commands/features/incoming.js';
import type { Core } from '../../core.js';
import { writeRequestOf } from '../../features/json.js';
import { featureStore, type FeatureStore } from '../../features/store.js';
import { Observer } from '../../observer.js';
import { CORE } from '../../operations.js';
import { routerPath } from '../paths.js';
import { restContext } from '../request.js';
import { bodyOf } from './bodies.js';

/** Writing rows over REST. */
@Controller()
export class FeatureRowsController {
  private readonly store: FeatureStore;

  constructor(
    @Inject(CORE) core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {
    this.store = featureStore(core);
  }

  /** `{ rows: [{ entity, eventTime, values }] }`, or one such row a line; `mode`, `version`, `partial` and `quarantine` in the body or the query string. */
  @Post(routerPath('/api/v1/projects/{project}/feature-groups/{group}:write'))
  @HttpCode(200)
  async writeFeatures(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<WriteReply> {
    const written = await this.observer.observe('rest', 'WriteFeatures', restContext(request), async (context) =>
      this.store.writer.write(writeRequestOf({ ...queryOf(request), ...bodyOf(request), ...(request.params as object) }), context),
    );
    reply.header('tarl-position', written.position);
    return written;
  }
}

function queryOf({ query }: FastifyRequest): object {
  const { partial, quarantine, version, ...rest } = query as Record<string, unknown>;
  const number = typeof version === 'string' && /^\d+$/.test(version) ? Number(version) : version;
  return { ...rest, ...(version !== undefined && { version: number }), ...(partial !== undefined && { partial: truth(partial) }), ...(quarantine !== undefined && { quarantine: truth(quarantine) }) };
}

const truth = (text: unknown): unknown => (text === 'true' ? true : text === 'false' ? false : text);
