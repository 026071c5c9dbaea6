import { v5 as uuidv5, validate } from 'uuid';
import type { RequestContext } from './command.js';
import { newCommandId } from './command-ids.js';

/** What stands beside the data of every event. */
export interface EventMetadata {
  readonly commandId: string;
  /** Ties together everything that one request from outside set going. */
  readonly correlationId: string;
  /** The command or event that led to this one. */
  readonly causationId: string;
  readonly actor: string;
  readonly project?: string;
  readonly traceparent?: string;
  /** The version of the event's data. */
  readonly version: number;
  /** Hash of the command's name and input; there when the caller chose an idempotency key. */
  readonly bodyHash?: string;
}

/** One command under way: its id and what its events carry. */
export interface CommandIdentity {
  readonly commandId: string;
  readonly bodyHash?: string;
}

/** Keys of different callers never meet; a key names the same command for ever. */
const keyNamespace = '6f1c4ef1-7d3c-5a0e-9c55-0b3c1a5d7e42';

/** The id of a new command, or the one that the caller's idempotency key stands for. */
export function commandIdOf({ caller, idempotencyKey }: RequestContext): string {
  return idempotencyKey === undefined ? newCommandId() : uuidv5(`${caller.actor}\n${idempotencyKey}`, keyNamespace);
}

/**
 * The id of a command's nth event: the same however often the command is tried, so the log can tell a repeat. The body
 * counts, or the server would take a key's second use with another body for a repeat of the first.
 */
export function eventIdOf({ commandId, bodyHash = '' }: CommandIdentity, index: number | string): string {
  return uuidv5(`${index} ${bodyHash}`, commandId);
}

export function eventMetadata(identity: CommandIdentity, context: RequestContext, version: number, project?: string): EventMetadata {
  return {
    commandId: identity.commandId,
    correlationId: context.correlationId ?? identity.commandId,
    causationId: context.causationId ?? identity.commandId,
    actor: context.caller.actor,
    ...(project !== undefined && { project }),
    ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
    version,
    ...(identity.bodyHash !== undefined && { bodyHash: identity.bodyHash }),
  };
}

/** True for what commandIdOf could have made. */
export const isCommandId = (text: unknown): text is string => typeof text === 'string' && validate(text);
