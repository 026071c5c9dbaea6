import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { importRows, rowsOfWrite, type ImportReply } from '../../../commands/features/import/import-rows.js';
import { timeUnitShape, timeUnitsOf, timeUnitWords } from '../../../commands/features/file-times.js';
import { writePermission } from '../../../commands/features/write.js';
import { requirePermission } from '../../../commands/kit/execute.js';
import { parseInput } from '../../../commands/kit/validate.js';
import { writeModes } from '../../../domain/features/chunk.js';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import type { Core } from '../../core.js';
import { featureStore, type FeatureStore } from '../../features/store.js';
import { Observer } from '../../observer.js';
import { CORE, SETTINGS } from '../../operations.js';
import { routerPath } from '../paths.js';
import { restContext } from '../request.js';
import { rowsMediaTypes, StreamedBody } from './bodies.js';
import { uploadedBatches } from './upload.js';

const truth = z.enum(['true', 'false']).default('false').transform((text) => text === 'true');

/** What the query string of an import says. */
export const importInput = z.strictObject({
  project: resourceName,
  group: resourceName,
  version: z.coerce.number().int().min(1).optional(),
  mode: z.enum(writeModes).default('BOTH'),
  partial: truth,
  quarantine: truth,
  /** The column with the time of each row. */
  eventTime: z.string().min(1).max(256).default('event_time'),
  /** What numbers in columns of times count. */
  timeUnit: z.array(z.string().max(300).regex(timeUnitShape, timeUnitWords)).max(1000).default([]),
  /** `column=name`, once for each column that is not called like its key or feature. */
  map: z.array(z.string().regex(/^[^=]+=[a-z][a-z0-9_]*$/, 'takes column=name')).max(1000).default([]),
});

/** Storing the rows of a file over REST while it is sent. */
@Controller()
export class FeatureImportController {
  private readonly store: FeatureStore;

  constructor(
    @Inject(CORE) core: Core,
    @Inject(Observer) private readonly observer: Observer,
    @Inject(SETTINGS) private readonly settings: { readonly importSpoolBytes: number },
  ) {
    this.store = featureStore(core);
  }

  /** A body of CSV, NDJSON, Parquet or Arrow, of any length; `mode`, `partial`, `quarantine`, `eventTime`, `timeUnit` and `map` in the query string. */
  @Post(routerPath('/api/v1/projects/{project}/feature-groups/{group}/rows:import'))
  @HttpCode(200)
  async importRows(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<ImportReply> {
    const imported = await this.observer.observe('rest', 'ImportFeatureRows', restContext(request), async (context) => {
      const { body } = request;
      if (!(body instanceof StreamedBody)) throw new Refusal('INVALID_ARGUMENT', `The body must be a file, sent as ${rowsMediaTypes.join(', ')}`, { reason: 'UNSUPPORTED_MEDIA_TYPE' });
      try {
        const { map, eventTime, timeUnit, ...rest } = inputOf(request);
        requirePermission({ permission: writePermission }, rest.project, context);
        const target = await this.store.groups.toWrite(rest.project, rest.group, rest.version);
        const naming = { eventTime, map: Object.fromEntries(map.map((pair) => pair.split('=') as [string, string])), timeUnits: timeUnitsOf(timeUnit) };
        return await importRows(this.store.writer, target, { ...rest, naming }, uploadedBatches(body, rowsOfWrite, this.settings.importSpoolBytes), context);
      } catch (error) {
        // A client that went away ends the reading with an error of the connection.
        context.signal?.throwIfAborted();
        // Nobody reads the rest of a refused file, and the answer comes through only when it is taken.
        request.raw.resume();
        throw error;
      }
    });
    reply.header('tarl-position', imported.position);
    return imported;
  }
}

function inputOf({ query, params }: FastifyRequest): z.output<typeof importInput> {
  const { map, timeUnit, ...rest } = query as Record<string, unknown>;
  return parseInput(importInput, { ...rest, ...(map !== undefined && { map: [map].flat() }), ...(timeUnit !== undefined && { timeUnit: [timeUnit].flat() }), ...(params as object) });
}
