import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../domain/kit/index.js';
import type { Core } from '../core.js';
import { CORE } from '../operations.js';
import { platformStatus, type PlatformStatus } from '../platform-status.js';
import { visitorOf } from '../visitors.js';

/** What `tarl status` shows. */
@Controller('api/v1/platform')
export class PlatformController {
  constructor(@Inject(CORE) private readonly core: Core) {}

  /** Versions, and how far each view has come. */
  @Get()
  async status(@Req() request: FastifyRequest): Promise<PlatformStatus> {
    if (!visitorOf(request).caller.may('platform.observe')) throw new Refusal('PERMISSION_DENIED', 'This key may not look at the platform', { reason: 'MISSING_PERMISSION', metadata: { permission: 'platform.observe' } });
    return platformStatus(this.core);
  }
}
