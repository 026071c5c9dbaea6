import { setTimeout } from 'node:timers/promises';
import { Refusal } from '../../domain/kit/index.js';
import { requireActive } from '../../domain/projects/decisions.js';
import { project as projectDecider, projectStream } from '../../domain/projects/state.js';
import { EventStoreTimeout, EventStoreUnavailable, WrongExpectedRevision } from '../../platform/eventstore/errors.js';
import { formatPosition, type EventStore, type NewEvent } from '../../platform/eventstore/port.js';
import { advance, emptyAggregate, type Aggregate, type Aggregates } from './aggregates.js';
import type { CommandReply, IfMatch, InnerCommand, RequestContext, Requirement } from './command.js';
import { bodyHashOf, requireSameBody, type RememberingCommandLog } from './idempotency.js';
import { commandIdOf, eventIdOf, eventMetadata, type CommandIdentity } from './metadata.js';
import { parseInput } from './validate.js';

/** Wrong revisions in a row after which a command gives up: about five seconds of a stream that others keep changing. */
const attempts = 100;
const longestPauseMs = 50;

/** Load, decide, append: what happens to every command, whichever wire it came by. */
export class CommandExecutor {
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(
    private readonly eventStore: EventStore,
    private readonly aggregates: Aggregates,
    private readonly commandLog: RememberingCommandLog,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async execute(command: InnerCommand, raw: unknown, context: RequestContext): Promise<CommandReply> {
    const input = parseInput(command.input, raw) as { project?: string };
    requirePermission(command, input.project, context);
    const identity = identityOf(command, input, context);
    const stream = command.stream(input);
    const recorded = await this.recorded(identity);
    if (recorded) return replyOf(identity, recorded.position, command.into ? await this.revisionNow(command, stream) : recorded.revision, true);
    if (command.inActiveProject !== false && input.project !== undefined) await this.requireActiveProject(input.project);
    await Promise.all((command.requires?.(input) ?? []).map((requirement) => this.require(requirement)));
    return this.inTurn(stream, () => this.run({ command, input, context, identity, stream }));
  }

  /** Refuses unless the project is there and active. Another process's archiving is noticed after a second at most. */
  async requireActiveProject(name: string): Promise<void> {
    const stream = projectStream(name);
    const recent = await this.aggregates.recent(projectDecider, stream, 1000);
    if (recent.state.status === 'active') return;
    requireActive(name, (await this.aggregates.load(projectDecider, stream)).state);
  }

  private async run(work: Work): Promise<CommandReply> {
    const { command, stream, identity } = work;
    // An append elsewhere does not find out that a cached fold is behind, nor that a twin of this request was first.
    const twin = command.into && (await this.recorded(identity));
    if (twin) return replyOf(identity, twin.position, await this.revisionNow(command, stream), true);
    let aggregate = command.into ? undefined : (this.aggregates.cached(stream) ?? (command.creates ? emptyAggregate(command.decider) : undefined));
    let fresh = false;
    for (let attempt = 1; ; attempt++) {
      if (!aggregate) {
        aggregate = await this.aggregates.load(command.decider, stream);
        fresh = true;
      }
      const earlier = aggregate.commands.get(identity.commandId);
      if (earlier) {
        if (identity.bodyHash !== undefined) requireSameBody({ ...earlier, bodyHash: earlier.bodyHash ?? '' }, identity.bodyHash);
        return replyOf(identity, earlier.position, earlier.revision, true);
      }
      const events = this.decide(work, aggregate, fresh);
      if (events === 'look again') {
        aggregate = undefined;
        continue;
      }
      if (events.length === 0) return replyOf(identity, formatPosition(aggregate.position), aggregate.revision, false);
      const appended = await this.append(work, aggregate, events, attempt);
      if (appended) return appended;
      // Writers that meet again and again draw apart.
      await setTimeout(Math.random() * Math.min(2 ** attempt, longestPauseMs));
      aggregate = undefined;
      fresh = false;
    }
  }

  /** Refusals and repeats are only final when decided on what the log holds now, not on a cached fold. */
  private decide({ command, input, context, identity }: Work, aggregate: Aggregate, fresh: boolean): NewEvent[] | 'look again' {
    try {
      if (context.ifMatch !== undefined) requireEtag(context.ifMatch, aggregate.revision);
      const decided = command.decide(input, aggregate.state, { now: this.now().toISOString(), actor: context.caller.actor });
      if (decided.length === 0 && !fresh) return 'look again';
      return decided.map((event, index) => ({
        id: eventIdOf(identity, index),
        type: event.type,
        data: event.data,
        metadata: { ...eventMetadata(identity, context, versionOf(command, event.type), input.project) },
      }));
    } catch (error) {
      if (error instanceof Refusal && !fresh) return 'look again';
      throw error;
    }
  }

  /** Undefined when another writer was first, or when nobody knows whether it was written: the caller looks again. */
  private async append({ command, stream, context, identity }: Work, aggregate: Aggregate, events: NewEvent[], attempt: number): Promise<CommandReply | undefined> {
    const { eventStore, aggregates, commandLog } = this;
    const deadlineMs = context.deadline === undefined ? undefined : Math.max(1, context.deadline - Date.now());
    try {
      if (command.into) {
        const { position } = await eventStore.append(command.into.stream(events[0]!), events, { expected: 'any', deadlineMs });
        const reply = replyOf(identity, formatPosition(position), aggregate.revision, true);
        if (identity.bodyHash !== undefined) commandLog.remember(identity.commandId, { bodyHash: identity.bodyHash, position: reply.position, revision: aggregate.revision });
        return reply;
      }
      const { revision, position } = await eventStore.append(stream, events, { expected: aggregate.revision < 0n ? 'none' : aggregate.revision, deadlineMs });
      const first = revision - BigInt(events.length - 1);
      aggregates.keep(stream, advance(command.decider, aggregate, events.map((event, index) => ({ ...event, stream, revision: first + BigInt(index), position }))));
      const reply = replyOf(identity, formatPosition(position), revision, true);
      if (identity.bodyHash !== undefined) commandLog.remember(identity.commandId, { bodyHash: identity.bodyHash, position: reply.position, revision });
      return reply;
    } catch (error) {
      const again = error instanceof WrongExpectedRevision || ((error instanceof EventStoreUnavailable || error instanceof EventStoreTimeout) && error.outcomeUnknown);
      if (!again) throw error;
      if (attempt < attempts && !(context.deadline !== undefined && Date.now() >= context.deadline)) return undefined;
      if (!(error instanceof WrongExpectedRevision)) throw error;
      throw new Refusal('ABORTED', 'Others kept changing this at the same time; nothing was changed, try again', { reason: 'CONCURRENT_CHANGES' });
    }
  }

  private async require({ decider, stream, check }: Requirement): Promise<void> {
    check((await this.aggregates.load(decider, stream)).state);
  }

  private async revisionNow({ decider }: InnerCommand, stream: string): Promise<bigint> {
    return (await this.aggregates.load(decider, stream)).revision;
  }

  private async recorded({ commandId, bodyHash }: CommandIdentity) {
    if (bodyHash === undefined) return undefined;
    const recorded = await this.commandLog.find(commandId);
    if (recorded) requireSameBody(recorded, bodyHash);
    return recorded;
  }

  /** Commands of one stream run one after another in this process: racing them would only make them retry. */
  private inTurn<Result>(stream: string, run: () => Promise<Result>): Promise<Result> {
    const before = this.queues.get(stream);
    const turn = before ? before.then(run, run) : run();
    this.queues.set(stream, turn);
    const leave = () => {
      if (this.queues.get(stream) === turn) this.queues.delete(stream);
    };
    turn.then(leave, leave);
    return turn;
  }
}

interface Work {
  readonly command: InnerCommand;
  readonly input: { project?: string };
  readonly context: RequestContext;
  readonly identity: CommandIdentity;
  readonly stream: string;
}

/** Another project's resource and an absent one answer alike, so a missing grant is a plain refusal here and says no more. */
export function requirePermission({ permission }: Pick<InnerCommand, 'permission'>, project: string | undefined, { caller }: RequestContext): void {
  if (caller.may(permission, project)) return;
  throw new Refusal('PERMISSION_DENIED', `${caller.actor} may not ${permission}${project === undefined ? '' : ` in ${project}`}`, { reason: 'MISSING_PERMISSION', metadata: { permission } });
}

/** The identity under which a request is recognised when it comes again. */
export function identityOf(command: { readonly name: string }, input: unknown, context: RequestContext): CommandIdentity {
  const commandId = commandIdOf(context);
  return context.idempotencyKey === undefined ? { commandId } : { commandId, bodyHash: bodyHashOf(command.name, input) };
}

function requireEtag(wanted: IfMatch, revision: bigint): void {
  const etag = `${revision}`;
  if (revision >= 0n && (wanted === '*' || wanted.includes(etag))) return;
  if (wanted === '*') throw new Refusal('FAILED_PRECONDITION', 'The resource does not exist, and If-Match: * asks for one that does', { reason: 'ETAG_MISMATCH' });
  const named = wanted.join(' or ') || 'a weak one';
  if (revision < 0n) throw new Refusal('FAILED_PRECONDITION', `The resource does not exist, so its etag is not ${named}`, { reason: 'ETAG_MISMATCH' });
  throw new Refusal('FAILED_PRECONDITION', `The resource has changed: its etag is ${etag}, not ${named}`, { reason: 'ETAG_MISMATCH', metadata: { etag } });
}

const versionOf = (command: InnerCommand, type: string): number => (command.into ?? command.decider).events.find((event) => event.type === type)!.version;

const replyOf = (identity: CommandIdentity, position: string, revision: bigint, changed: boolean): CommandReply => ({
  commandId: identity.commandId,
  position,
  etag: `${revision}`,
  changed,
});
