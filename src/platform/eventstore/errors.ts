import type { ExpectedRevision } from './port.js';

/** Whatever goes wrong between TARL and its event store. */
export abstract class EventStoreError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** The stream stood elsewhere than the writer expected; nothing was written. `actual` is the stream's last revision. */
export class WrongExpectedRevision extends EventStoreError {
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
    readonly actual: bigint | 'none',
  ) {
    super(`Stream ${stream} stands at ${actual}, not at ${expected}`);
  }
}

/** The stream is tombstoned: it can neither be read nor ever be written again. */
export class StreamDeleted extends EventStoreError {
  constructor(readonly stream: string) {
    super(`Stream ${stream} is deleted for good`);
  }
}

/** One append is larger than the server takes (`limit` in bytes); nothing was written. */
export class AppendTooLarge extends EventStoreError {
  constructor(readonly limit: number) {
    super(`An append may hold at most ${limit} bytes`);
  }
}

/** The store's credentials do not allow this. */
export class AccessDenied extends EventStoreError {
  constructor(options?: ErrorOptions) {
    super('The event store denied access', options);
  }
}

/** The request itself is malformed in the server's eyes; it changed nothing and fails again if repeated. */
export class EventStoreRefused extends EventStoreError {}

/**
 * The event store could not be reached, or broke off. With `outcomeUnknown` a write may have
 * happened all the same: re-read and look for its event ids before deciding again.
 */
export class EventStoreUnavailable extends EventStoreError {
  readonly outcomeUnknown: boolean;

  constructor(message: string, options: ErrorOptions & { outcomeUnknown?: boolean } = {}) {
    super(message, options);
    this.outcomeUnknown = options.outcomeUnknown ?? false;
  }
}

/** The event store did not answer in time. `outcomeUnknown` as for EventStoreUnavailable. */
export class EventStoreTimeout extends EventStoreError {
  readonly outcomeUnknown: boolean;

  constructor(message: string, options: ErrorOptions & { outcomeUnknown?: boolean } = {}) {
    super(message, options);
    this.outcomeUnknown = options.outcomeUnknown ?? false;
  }
}
