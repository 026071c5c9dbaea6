import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PassThrough } from 'node:stream';
import type { Permission } from '../../commands/kit/command.js';
import { Refusal } from '../../domain/kit/index.js';
import type { Core, RebuildProgress, ViewStatus } from '../core.js';
import { failureOf } from '../errors.js';
import { Observer } from '../observer.js';
import { CORE } from '../operations.js';
import { visitorOf } from '../visitors.js';
import { routerPath } from './paths.js';

const home = '/api/v1/projections';

/** What operators see of the read models, and their rebuild. */
@Controller()
export class ProjectionsController {
  constructor(
    @Inject(CORE) private readonly core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {}

  /** Every view with its position, its lag and its rate. */
  @Get(home)
  async list(@Req() request: FastifyRequest): Promise<{ projections: readonly ViewStatus[] }> {
    requirePermission(request, 'projections.read');
    return { projections: await this.core.projections.status() };
  }

  /** Rebuilds a view, and answers with a line of JSON for each step forward. A caller who hangs up calls it off. */
  @Post(routerPath(`${home}/{view}:rebuild`))
  @HttpCode(200)
  async rebuild(@Param('view') view: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    requirePermission(request, 'projections.rebuild');
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new Refusal('CANCELLED', 'The caller went away')));
    const lines = new PassThrough();
    let answering = false;
    const tell = (line: RebuildProgress | { error: object }) => {
      if (!answering) reply.type('application/x-ndjson').send(lines);
      answering = true;
      lines.write(`${JSON.stringify(line)}\n`);
    };
    try {
      await this.core.projections.rebuild(view, tell, gone.signal);
    } catch (error) {
      // As long as nothing is sent the refusal can still be the answer; after that it is the last line.
      if (!answering) throw error;
      this.observer.failed('rest', 'rebuildProjection', error, visitorOf(request).traceparent);
      tell({ error: failureOf(error) });
    }
    lines.end();
  }
}

function requirePermission(request: FastifyRequest, permission: Permission): void {
  const { caller } = visitorOf(request);
  if (caller.may(permission)) return;
  throw new Refusal('PERMISSION_DENIED', `${caller.actor} may not ${permission}`, { reason: 'MISSING_PERMISSION', metadata: { permission } });
}
