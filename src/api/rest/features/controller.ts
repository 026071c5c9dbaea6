import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WriteReply } from '../../../commands/features/incoming.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { Core } from '../../core.js';
import { onlineRequestOf, onlineRows, writeRequestOf, type OnlineRow } from '../../features/json.js';
import { featureStore, type FeatureStore } from '../../features/store.js';
import { Observer } from '../../observer.js';
import { CORE } from '../../operations.js';
import { routerPath } from '../paths.js';
import { restContext } from '../request.js';
import { NdjsonBody } from './bodies.js';

/** Writing rows and reading the latest values over REST. */
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

  /** `{ features, entities, fullNames }`: the latest values of many entities. */
  @Post(routerPath('/api/v1/projects/{project}/features:readOnline'))
  @HttpCode(200)
  async readOnline(@Req() request: FastifyRequest): Promise<{ rows: OnlineRow[] }> {
    return this.observer.observe('rest', 'ReadOnline', restContext(request), async (context) => {
      const { request: wanted, entities } = onlineRequestOf({ ...bodyOf(request), ...(request.params as object) });
      return { rows: onlineRows(await this.store.readOnline(wanted, context), entities) };
    });
  }
}

function queryOf({ query }: FastifyRequest): object {
  const { partial, quarantine, version, ...rest } = query as Record<string, unknown>;
  const number = typeof version === 'string' && /^\d+$/.test(version) ? Number(version) : version;
  return { ...rest, ...(version !== undefined && { version: number }), ...(partial !== undefined && { partial: truth(partial) }), ...(quarantine !== undefined && { quarantine: truth(quarantine) }) };
}

const truth = (text: unknown): unknown => (text === 'true' ? true : text === 'false' ? false : text);

function bodyOf({ body }: FastifyRequest): object {
  if (body instanceof NdjsonBody) return { rows: body.values };
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Refusal('INVALID_ARGUMENT', 'The body must be a JSON object', { reason: 'INVALID_BODY' });
}
