import { createHash } from 'node:crypto';
import { canonicalJson, Refusal } from '../../domain/kit/index.js';

/** What the log holds of a command that a caller gave an idempotency key. */
export interface RecordedCommand {
  readonly bodyHash: string;
  readonly position: string;
  readonly revision: bigint;
}

/** Finds earlier commands by id; the read model behind it may lag, so what this process did is remembered beside it. */
export interface CommandLog {
  find(commandId: string): Promise<RecordedCommand | undefined>;
}

/** Remembers the newest commands of this process, then asks the log's read model. */
export class RememberingCommandLog implements CommandLog {
  private readonly recent = new Map<string, RecordedCommand>();

  constructor(
    private readonly behind: CommandLog,
    private readonly limit = 100_000,
  ) {}

  async find(commandId: string): Promise<RecordedCommand | undefined> {
    return this.recent.get(commandId) ?? (await this.behind.find(commandId));
  }

  remember(commandId: string, command: RecordedCommand): void {
    this.recent.set(commandId, command);
    if (this.recent.size > this.limit) this.recent.delete(this.recent.keys().next().value!);
  }
}

/** A hash of what was asked: the same for the same command and input however the caller ordered its fields. */
export function bodyHashOf(command: string, input: unknown): string {
  return createHash('sha256').update(command).update('\n').update(canonicalJson(input)).digest('base64url');
}

/** Refuses a key that stands for another request already. */
export function requireSameBody(recorded: RecordedCommand, bodyHash: string): void {
  if (recorded.bodyHash === bodyHash) return;
  throw new Refusal('FAILED_PRECONDITION', 'This idempotency key was used for another request', { reason: 'IDEMPOTENCY_KEY_REUSED' });
}

