/** Sixteen digits that are not those of a fraction: only then can there be a whole number beyond 2^53. */
const mayBeLarge = /(?<![\d.])\d{16}/;
const wholeNumber = /^-?\d{1,19}$/;

/**
 * JSON whose cells, so many lists and objects down, keep all digits of whole numbers of 64 bits, which JSON.parse would round: beyond
 * 2^53 they come as bigint. Within a cell that is a list or an object, which has no type for them, they come as texts of their digits.
 * Where nothing can be that large it is read the plain way, which whoever has done so already hands over.
 */
export function parseExactly(text: string, depth: number, plainly: (text: string) => unknown = JSON.parse): unknown {
  if (!mayBeLarge.test(text)) return plainly(text);
  const parsed = (JSON.parse as ParseWithSource)(text, (_name, value, { source }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || !wholeNumber.test(source!)) return value;
    const whole = BigInt(source!);
    return BigInt.asIntN(64, whole) === whole ? whole : value;
  });
  return withCells(parsed, depth);
}

function withCells(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const part = depth > 0 ? (child: unknown) => withCells(child, depth - 1) : digitsWithin;
  return Array.isArray(value) ? value.map(part) : Object.fromEntries(Object.entries(value).map(([name, child]) => [name, part(child)]));
}

const digitsWithin = (value: unknown): unknown => (typeof value === 'bigint' ? String(value) : withCells(value, 0));

/** As Node has it; TypeScript's library does not know of the source yet. */
type ParseWithSource = (text: string, reviver: (name: string, value: unknown, context: { readonly source?: string }) => unknown) => unknown;
