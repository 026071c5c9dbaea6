import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DiscardReply } from '../../../commands/features/quarantine/discard.js';
import type { WriteReply } from '../../../commands/features/incoming.js';
import type { Core } from '../../core.js';
import { quarantineCommands, type QuarantineCommands } from '../../features/quarantine.js';
import { Observer } from '../../observer.js';
import { CORE } from '../../operations.js';
import { routerPath } from '../paths.js';
import { restContext } from '../request.js';

/** Mending and discarding refused rows over REST; they are listed by derived routes. */
@Controller()
export class QuarantineController {
  private readonly commands: QuarantineCommands;

  constructor(
    @Inject(CORE) core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {
    this.commands = quarantineCommands(core);
  }

  /** `{ entity, eventTime, values, without }`: what is put in place of what the row holds. */
  @Post(routerPath('/api/v1/projects/{project}/quarantined-rows/{id}:mend'))
  @HttpCode(200)
  async mend(@Body() body: object | null, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<WriteReply> {
    const written = await this.observer.observe('rest', 'MendQuarantinedRow', restContext(request), (context) => this.commands.mend({ ...body, ...(request.params as object) }, context));
    reply.header('tarl-position', written.position);
    return written;
  }

  /** `{ ids, reason }` */
  @Post(routerPath('/api/v1/projects/{project}/quarantined-rows:discard'))
  @HttpCode(200)
  async discard(@Body() body: object | null, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<DiscardReply> {
    const discarded = await this.observer.observe('rest', 'DiscardQuarantinedRows', restContext(request), (context) => this.commands.discard({ ...body, ...(request.params as object) }, context));
    reply.header('tarl-position', discarded.position);
    return discarded;
  }
}
