import { Refusal, type FieldViolation } from '../../../domain/kit/index.js';

const description = 'is a whole number beyond 2^53, of which GraphQL has lost digits; give it as a string of them';
const largest = 2 ** 63;

/** Refuses rows whose own columns hold whole numbers of 64 bits that have been rounded: a row goes back as it came, or not at all. */
export function refuseRounded(rows: readonly Readonly<Record<string, unknown>>[] | null | undefined): void {
  const fields = (rows ?? []).flatMap((row, at): FieldViolation[] =>
    Object.keys(row).filter((name) => isRounded(row[name])).map((name) => ({ field: `rows[${at}].${name}`, description })));
  if (fields.length > 0) throw new Refusal('INVALID_ARGUMENT', `${fields[0]!.field} ${description}`, { reason: 'INVALID_INPUT', fields: fields.slice(0, 100) });
}

const isRounded = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) <= largest;
