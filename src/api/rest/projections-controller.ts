import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { requirePermission } from '../../commands/kit/execute.js';
import { splitProjection } from '../../commands/projections.js';
import type { Core, ViewStatus } from '../core.js';
import { Observer } from '../observer.js';
import { CORE } from '../operations.js';
import { routerPath } from './paths.js';
import { restContext } from './request.js';

/** What operators see of the read models. */
@Controller()
export class ProjectionsController {
  constructor(
    @Inject(CORE) private readonly core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {}

  /** Every view with its position, its lag, its rate, and who projects its slices. */
  @Get('/api/v1/projections')
  async list(@Req() request: FastifyRequest): Promise<{ projections: readonly ViewStatus[] }> {
    requirePermission({ permission: 'projections.read' }, undefined, restContext(request));
    return { projections: await this.core.projections.status() };
  }

  /** Splits a view into so many slices, and answers with the view as it stands then. */
  @Post(routerPath('/api/v1/projections/{view}:split'))
  @HttpCode(200)
  async split(@Param('view') view: string, @Body() body: object | null, @Req() request: FastifyRequest): Promise<ViewStatus> {
    return this.observer.observe('rest', 'SplitProjection', restContext(request), async (context) => {
      await splitProjection(this.core, { ...body, view }, context);
      return (await this.core.projections.status()).find(({ name }) => name === view)!;
    });
  }
}
