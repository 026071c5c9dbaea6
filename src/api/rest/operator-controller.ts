import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../domain/kit/index.js';
import { Metrics } from '../../platform/telemetry/metrics.js';
import type { Core } from '../core.js';
import { healthOf, type Health } from '../health.js';
import { CORE, SETTINGS } from '../operations.js';
import { visitorOf } from '../visitors.js';

/** What orchestrators and Prometheus ask for. */
@Controller()
export class OperatorController {
  constructor(
    @Inject(CORE) private readonly core: Core,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(SETTINGS) private readonly settings: { readonly readyLagMs: number },
  ) {}

  /** The process answers at all. */
  @Get('health/live')
  live(): { live: true } {
    return { live: true };
  }

  /** It can do its work; the reason, with status 503, when not. */
  @Get('health/ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const health = await healthOf(this.core, this.settings.readyLagMs);
    if (!health.ready) reply.status(503);
    return health;
  }

  /** Prometheus scrapes this with the key as its bearer token. */
  @Get('metrics')
  async page(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    if (!visitorOf(request).caller.may('platform.observe')) throw new Refusal('PERMISSION_DENIED', 'This key may not read the metrics', { reason: 'MISSING_PERMISSION', metadata: { permission: 'platform.observe' } });
    reply.type(this.metrics.contentType);
    return this.metrics.page();
  }
}
