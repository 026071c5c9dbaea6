import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { requirePermission } from '../../commands/kit/execute.js';
import { contextFrom } from '../context.js';
import type { Core, JobsStatus } from '../core.js';
import { CORE } from '../operations.js';
import { visitorOf } from '../visitors.js';

const home = '/api/v1/jobs';
/** The id of a job that a schedule brought holds colons, which no other name does. */
const retryOne = `${home}/:job([^/]+)::retry`;

/** What operators see of the work beside the requests. */
@Controller()
export class JobsController {
  constructor(@Inject(CORE) private readonly core: Core) {}

  /** Every job with what waits and what has ended, those given up with their reasons, and the reactions. */
  @Get(home)
  list(@Req() request: FastifyRequest): Promise<JobsStatus> {
    requirePermission({ permission: 'jobs.read' }, undefined, contextFrom(visitorOf(request)));
    return this.core.jobs.status();
  }

  /** Has a job tried again that was given up. */
  @Post(retryOne)
  @HttpCode(200)
  async retry(@Param('job') job: string, @Req() request: FastifyRequest): Promise<{ id: string }> {
    const context = contextFrom(visitorOf(request));
    requirePermission({ permission: 'jobs.write' }, undefined, context);
    await this.core.jobs.retry(job, context);
    return { id: job };
  }
}
