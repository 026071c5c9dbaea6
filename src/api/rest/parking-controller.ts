import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { requirePermission } from '../../commands/kit/execute.js';
import { retryParked, skipParked } from '../../commands/projections.js';
import type { Core, ParkedKey, RetryOutcome } from '../core.js';
import { Observer } from '../observer.js';
import { CORE } from '../operations.js';
import { routerPath } from './paths.js';
import { restContext } from './request.js';

const view = '/api/v1/projections/{view}';

/** The events that views cannot take, and what operators do about them. */
@Controller()
export class ParkingController {
  constructor(
    @Inject(CORE) private readonly core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {}

  /** The parked keys of a view, or with `-` those of all views. */
  @Get(routerPath(`${view}/parked`))
  async list(@Param('view') view: string, @Req() request: FastifyRequest): Promise<{ parked: readonly ParkedKey[] }> {
    return this.observer.observe('rest', 'ListParkedKeys', restContext(request), async (context) => {
      requirePermission({ permission: 'projections.read' }, undefined, context);
      return { parked: await this.core.projections.parked(view === '-' ? {} : { view }) };
    });
  }

  /** Tries the parked events of a view again; with `key` in the body only those of one key. */
  @Post(routerPath(`${view}:retry`))
  @HttpCode(200)
  async retry(@Param('view') view: string, @Body() body: object | null, @Req() request: FastifyRequest): Promise<RetryOutcome> {
    return this.observer.observe('rest', 'RetryParkedEvents', restContext(request), (context) => retryParked(this.core, { ...body, view }, context));
  }

  /** Goes on without the first event that waits under `key`, for a `reason` that the log keeps. */
  @Post(routerPath(`${view}:skip`))
  @HttpCode(200)
  async skip(@Param('view') view: string, @Body() body: object | null, @Req() request: FastifyRequest): Promise<RetryOutcome> {
    return this.observer.observe('rest', 'SkipParkedEvent', restContext(request), (context) => skipParked(this.core, { ...body, view }, context));
  }
}
