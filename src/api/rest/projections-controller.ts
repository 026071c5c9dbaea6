import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { requirePermission } from '../../commands/kit/execute.js';
import type { Core, ViewStatus } from '../core.js';
import { CORE } from '../operations.js';
import { restContext } from './request.js';

/** What operators see of the read models. */
@Controller()
export class ProjectionsController {
  constructor(@Inject(CORE) private readonly core: Core) {}

  /** Every view with its position, its lag and its rate. */
  @Get('/api/v1/projections')
  async list(@Req() request: FastifyRequest): Promise<{ projections: readonly ViewStatus[] }> {
    requirePermission({ permission: 'projections.read' }, undefined, restContext(request));
    return { projections: await this.core.projections.status() };
  }
}
