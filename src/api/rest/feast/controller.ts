import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { incomingOf, namedColumns } from '../../../commands/features/import/naming.js';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import type { Core } from '../../core.js';
import { featureStore, type FeatureStore } from '../../features/store.js';
import { healthOf } from '../../health.js';
import { Observer } from '../../observer.js';
import { CORE, SETTINGS, type WireContext } from '../../operations.js';
import { restContext } from '../request.js';
import { feastError, onlineAnswerText } from './answers.js';
import { onlineRequestOf, pushOf } from './requests.js';

/** What holds the time of a row in a data frame, by the names that Feast's examples and ours use. */
const timeColumns = ['event_timestamp', 'event_time'];

/** A number for a time is in seconds to Feast, as in its answers. */
const feastUnits = { '': 'seconds' } as const;

/** The HTTP interface of Feast's Python feature server, so that its clients can be pointed here. It serves one project, as Feast's does. */
@Controller()
export class FeastController {
  private readonly store: FeatureStore;

  constructor(
    @Inject(CORE) private readonly core: Core,
    @Inject(Observer) private readonly observer: Observer,
    @Inject(SETTINGS) private readonly settings: { readonly feastProject?: string; readonly readyLagMs: number },
  ) {
    this.store = featureStore(core);
  }

  /** The latest values of entities, in columns. */
  @Post('get-online-features')
  @HttpCode(200)
  getOnlineFeatures(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.answer('FeastGetOnlineFeatures', request, reply, async (context) => {
      const asked = onlineRequestOf(this.projectOf(request), request.body);
      return onlineAnswerText(asked, await this.store.readOnline(asked, context));
    });
  }

  /** Rows of the group that is called like the push source. Columns that it does not know are left out, as Feast does. */
  @Post('push')
  @HttpCode(200)
  push(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.answer('FeastPush', request, reply, async (context) => {
      const project = this.projectOf(request);
      const { group, mode, batch } = pushOf(request.body);
      const target = await this.store.groups.toWrite(project, group);
      const eventTime = timeColumns.find((name) => batch.columns.has(name)) ?? timeColumns[0]!;
      const rows = incomingOf(batch, namedColumns(batch, target, { eventTime, map: {}, timeUnits: feastUnits }));
      const { position } = await this.store.writer.write({ project, group, mode, partial: false, rows }, context);
      reply.header('tarl-position', position);
      return 'null';
    });
  }

  /** Without a body: the status says it. */
  @Get('health')
  async health(@Res() reply: FastifyReply): Promise<void> {
    const { ready } = await healthOf(this.core, this.settings.readyLagMs);
    await reply.status(ready ? 200 : 503).send();
  }

  private projectOf({ query, headers }: FastifyRequest): string {
    const project = (query as Record<string, unknown>)['project'] ?? headers['tarl-project'] ?? this.settings.feastProject;
    if (resourceName.safeParse(project).success) return project as string;
    throw new Refusal('INVALID_ARGUMENT', 'Which project is meant is said by ?project=, by the header Tarl-Project, or by the setting TARL_FEAST_PROJECT', { reason: 'PROJECT_NEEDED' });
  }

  private async answer(operation: string, request: FastifyRequest, reply: FastifyReply, work: (context: WireContext) => Promise<string>): Promise<void> {
    try {
      const text = await this.observer.observe('rest', operation, restContext(request), work);
      await reply.type('application/json').send(text);
    } catch (error) {
      const { status, text } = feastError(error, operation === 'FeastPush');
      await reply.status(status).type('application/json').send(text);
    }
  }
}
