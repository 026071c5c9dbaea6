const digits = /^(0|-?[1-9]\d{0,18})$/;
const smallest = -(2n ** 63n);
const largest = 2n ** 63n - 1n;

/** A whole number of 64 bits in its one form: a number where a double holds it exactly, else its digits. Undefined for anything else. */
export function int64Of(raw: unknown): number | string | undefined {
  switch (typeof raw) {
    case 'number':
      return Number.isSafeInteger(raw) ? raw + 0 : undefined;
    case 'bigint':
      return oneForm(raw);
    case 'string':
      return digits.test(raw) ? oneForm(BigInt(raw)) : undefined;
    default:
      return undefined;
  }
}

function oneForm(value: bigint): number | string | undefined {
  if (value < smallest || value > largest) return undefined;
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : `${value}`;
}
