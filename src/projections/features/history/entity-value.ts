import type { EntityType, EntityValue } from '../../../domain/features/values.js';

const digits = /^(0|-?[1-9]\d{0,18})$/;
const smallest = -(2n ** 63n);
const largest = 2n ** 63n - 1n;

/** A key value in the one form that it has in encoded keys; undefined for what is not of the type. */
export function entityValueOf(raw: unknown, type: EntityType): EntityValue | undefined {
  switch (type) {
    case 'STRING':
      return typeof raw === 'string' ? raw : undefined;
    case 'INT64':
      if (typeof raw === 'number') return Number.isSafeInteger(raw) ? raw + 0 : undefined;
      if (typeof raw === 'bigint') return whole(raw);
      return typeof raw === 'string' && digits.test(raw) ? whole(BigInt(raw)) : undefined;
  }
}

function whole(value: bigint): EntityValue | undefined {
  if (value < smallest || value > largest) return undefined;
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : `${value}`;
}
