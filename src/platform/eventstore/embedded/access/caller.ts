import { accessDenied } from '../refusals.js';
import type { StreamOperation, StreamRules } from './stream-rules.js';

/** Whoever makes a call, as far as the call is concerned. */
export interface Caller {
  /** The login; undefined for those whom nobody asked to log in. */
  readonly login: string | undefined;
  mayStream(operation: StreamOperation, stream: string): boolean;
}

const ANYBODY: Caller = { login: undefined, mayStream: () => true };
const callers = new WeakMap<object, Caller>();

/** Who makes this call. On a node that asks nobody to log in, anybody may do anything. */
export const callerOf = (call: object): Caller => callers.get(call) ?? ANYBODY;

/** Notes who makes a call. */
export function setCaller(call: object, login: string, groups: readonly string[], rules: StreamRules): void {
  const roles = [login, ...groups];
  callers.set(call, { login, mayStream: (operation, stream) => rules.allow(roles, operation, stream) });
}

/** Refuses a caller who may not do this with a stream; undefined is the stream of everything. */
export function demand(call: object, operation: StreamOperation, stream: string | undefined): void {
  if (!callerOf(call).mayStream(operation, stream ?? '$all')) throw accessDenied();
}
