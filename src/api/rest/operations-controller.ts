import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { requirePermission } from '../../commands/kit/execute.js';
import type { Core, Operation, ViewComparison } from '../core.js';
import { Observer } from '../observer.js';
import { CORE } from '../operations.js';
import { routerPath } from './paths.js';
import { restContext } from './request.js';

/** Work that goes on when its caller has hung up (AIP-151): today the rebuilds of views. */
@Controller()
export class OperationsController {
  constructor(
    @Inject(CORE) private readonly core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {}

  /** Begins to rebuild a view, and answers at once. */
  @Post(routerPath('/api/v1/projections/{view}:rebuild'))
  @HttpCode(200)
  async rebuild(@Param('view') view: string, @Req() request: FastifyRequest): Promise<Operation> {
    return this.observer.observe('rest', 'RebuildProjection', restContext(request), async (context) => {
      requirePermission({ permission: 'projections.rebuild' }, undefined, context);
      return this.core.projections.begin({ kind: 'rebuild', view, actor: context.caller.actor });
    });
  }

  /** Compares a view with what the log gives now. Ends when its caller goes. */
  @Post(routerPath('/api/v1/projections/{view}:compare'))
  @HttpCode(200)
  async compare(@Param('view') view: string, @Req() request: FastifyRequest): Promise<ViewComparison> {
    return this.observer.observe('rest', 'CompareProjection', restContext(request), async (context) => {
      requirePermission({ permission: 'projections.rebuild' }, undefined, context);
      return this.core.projections.compare(view, context.signal);
    });
  }

  @Get('/api/v1/operations')
  async list(@Req() request: FastifyRequest): Promise<{ operations: readonly Operation[] }> {
    return this.observer.observe('rest', 'ListOperations', restContext(request), async (context) => {
      requirePermission({ permission: 'projections.read' }, undefined, context);
      return { operations: await this.core.projections.operations() };
    });
  }

  @Get(routerPath('/api/v1/operations/{id}'))
  async get(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Operation> {
    return this.observer.observe('rest', 'GetOperation', restContext(request), async (context) => {
      requirePermission({ permission: 'projections.read' }, undefined, context);
      return this.core.projections.operation(id);
    });
  }

  /** Asks for an end; the operation says when it has come. */
  @Post(routerPath('/api/v1/operations/{id}:cancel'))
  @HttpCode(200)
  async cancel(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Operation> {
    return this.observer.observe('rest', 'CancelOperation', restContext(request), async (context) => {
      requirePermission({ permission: 'projections.rebuild' }, undefined, context);
      return this.core.projections.steer(id, 'cancel');
    });
  }
}
