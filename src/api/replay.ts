import { z } from 'zod';
import type { RequestContext } from '../commands/kit/command.js';
import { requirePermission } from '../commands/kit/execute.js';
import { parseInput } from '../commands/kit/validate.js';
import { selectionInput, selectionOf } from '../projections/replay/input.js';
import type { ReplaySelection } from '../projections/replay/selection.js';

const flag = z.boolean().default(false);

/** What a replay takes, as fields of a message. */
export const replayInput = z.object({ ...selectionInput, state: flag, effects: flag });

export interface ReplayRequest {
  readonly selection: ReplaySelection;
  readonly state: boolean;
}

/** What a replay was asked for. */
export function replayRequestOf(raw: unknown): ReplayRequest {
  const { state, effects, ...chosen } = parseInput(replayInput, raw);
  return { selection: { ...selectionOf(chosen), effects }, state };
}

const list = z.preprocess((value) => (typeof value === 'string' ? value.split(',') : value), selectionInput.types);
const flagText = z.enum(['true', 'false']).default('false').transform((text) => text === 'true');
const { types: _types, streams: _streams, ...places } = selectionInput;
const query = z.strictObject({ ...places, type: list, stream: list, state: flagText, effects: flagText, progress: flagText });

/** The same from a query string, which names types and streams by commas. */
export function replayQueryOf(raw: unknown): ReplayRequest & { progress: boolean } {
  const { type, stream, state, effects, progress, ...chosen } = parseInput(query, raw);
  return { selection: { ...selectionOf({ ...chosen, types: type, streams: stream }), effects }, state, progress };
}

/** Who may read the audit of a project may have that project's events; what they led to elsewhere is for those who may read all. */
export function requireReplay({ project, effects }: ReplaySelection, context: RequestContext): void {
  requirePermission({ permission: 'audit.read' }, effects ? undefined : project, context);
}
