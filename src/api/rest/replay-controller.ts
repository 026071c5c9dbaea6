import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { bounded } from '../../projections/replay/bounded.js';
import { decidersOf } from '../../projections/replay/deciders.js';
import { jsonLine, replay, type ReplayProgress } from '../../projections/replay/replay.js';
import type { Core } from '../core.js';
import { failureOf } from '../errors.js';
import { Observer } from '../observer.js';
import { CORE, type WireContext } from '../operations.js';
import { replayQueryOf, requireReplay } from '../replay.js';
import { restContext } from './request.js';

/** The log told again, for audits and for finding out what happened. */
@Controller()
export class ReplayController {
  constructor(
    @Inject(CORE) private readonly core: Core,
    @Inject(Observer) private readonly observer: Observer,
  ) {}

  /** A line of JSON for each chosen event. Ends early when the caller goes away, and waits when the caller reads slowly. */
  @Get('/api/v1/replay')
  async replay(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const lines = await this.observer.observe('rest', 'Replay', restContext(request), async (context) => {
      const asked = replayQueryOf(request.query);
      requireReplay(asked.selection, context);
      return this.lines({ ...asked, selection: await bounded(this.core.pool, asked.selection) }, context);
    });
    reply.type('application/x-ndjson').send(Readable.from(lines));
  }

  private lines({ selection, state, progress }: ReturnType<typeof replayQueryOf>, context: WireContext): AsyncGenerator<string> {
    const { core, observer } = this;
    const told: ReplayProgress[] = [];
    const onProgress = progress ? (now: ReplayProgress) => void told.push(now) : undefined;
    const events = replay(core.eventStore, selection, { state, deciders: decidersOf(core.catalogue), onProgress, signal: context.signal });
    return (async function* () {
      try {
        for await (const event of events) {
          for (const now of told.splice(0)) yield jsonLine({ progress: now });
          yield jsonLine(event);
        }
      } catch (error) {
        // The answer has begun: its last line says how it ended.
        observer.failed('rest', 'Replay', error, context.traceparent);
        yield jsonLine({ error: failureOf(error) });
      }
    })();
  }
}
