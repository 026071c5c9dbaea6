import type { Tracing } from '../../platform/telemetry/tracing.js';
import type { Caller, CommandReply, IfMatch, InnerCommand, RequestContext } from './command.js';

/** Takes a command to where it is executed. */
export type Execute = (command: InnerCommand, input: unknown, context: RequestContext) => Promise<CommandReply>;

type AnyContext = RequestContext & { readonly minPosition?: string };

/** The same context under another span; its lazy parts stay lazy. */
export const withTraceparent = (context: AnyContext, traceparent: string | undefined): AnyContext => (traceparent === context.traceparent ? context : new UnderSpan(context, traceparent));

/** Gives every command that the platform issues itself a span, as those that came by a wire have; its events carry it. */
export function tracedExecute(execute: Execute, tracing: Tracing): Execute {
  if (!tracing.enabled) return execute;
  return (command, input, context) => {
    if (context.traceparent === undefined) return execute(command, input, context);
    return tracing.inSpan(command.name, context.traceparent, (own) => execute(command, input, withTraceparent(context, own)));
  };
}

/** Written out, because an object with a prototype of its own makes every look at it slow: a fifth of a command's time. */
class UnderSpan implements AnyContext {
  constructor(
    private readonly context: AnyContext,
    readonly traceparent: string | undefined,
  ) {}

  get caller(): Caller {
    return this.context.caller;
  }
  get idempotencyKey(): string | undefined {
    return this.context.idempotencyKey;
  }
  get ifMatch(): IfMatch | undefined {
    return this.context.ifMatch;
  }
  get minPosition(): string | undefined {
    return this.context.minPosition;
  }
  get correlationId(): string | undefined {
    return this.context.correlationId;
  }
  get causationId(): string | undefined {
    return this.context.causationId;
  }
  get deadline(): number | undefined {
    return this.context.deadline;
  }
  get signal(): AbortSignal | undefined {
    return this.context.signal;
  }
  noteParked(counts: ReadonlyMap<string, number>): void {
    this.context.noteParked?.(counts);
  }
  noteAsOf(position: string): void {
    this.context.noteAsOf?.(position);
  }
}
