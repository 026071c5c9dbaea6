/** The canonical codes in which the platform refuses, those of google.rpc.Code. */
export const refusalCodes = [
  'INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED', 'UNAUTHENTICATED', 'FAILED_PRECONDITION',
  'ABORTED', 'OUT_OF_RANGE', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED', 'UNIMPLEMENTED',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

/** What is wrong with one field of the input: its path (`rows[3].age`) and a sentence. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

export interface RefusalDetails {
  /** A constant in UPPER_SNAKE_CASE that a program can branch on. */
  readonly reason?: string;
  readonly fields?: readonly FieldViolation[];
  /** Facts that help the caller; strings only, so that every wire can carry them. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An expected "no": a code, a sentence in domain words, and details. Not a bug, and never logged as one. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly details: RefusalDetails = {},
  ) {
    super(message);
  }
}
