import { Refusal, type FieldViolation } from '../domain/kit/index.js';

// Control characters besides tab and line ends, halves of surrogate pairs, and the sign that stands for broken UTF-8:
// Postgres, the log or a terminal would choke on them later, when nobody can refuse them any more.
// eslint-disable-next-line no-control-regex
const unstorable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]|\p{Surrogate}/u;

/** No input of ours is nested deeper; what is was made to exhaust somebody's stack. */
const deepest = 32;

/** Refuses an input in which any text holds characters that cannot be kept, or which is nested beyond sense. */
export function refuseUnstorableText(input: unknown): void {
  const fields: FieldViolation[] = [];
  look(input, '', 0, fields);
  if (fields.length === 0) return;
  throw new Refusal('INVALID_ARGUMENT', fields.map(({ field, description }) => `${field}: ${description}`).join('; '), { reason: 'INVALID_TEXT', fields });
}

function look(value: unknown, path: string, depth: number, found: FieldViolation[]): void {
  if (depth > deepest) found.push({ field: path.slice(0, 100), description: 'is nested too deep' });
  else if (typeof value === 'string') {
    if (unstorable.test(value)) found.push({ field: path, description: 'holds control characters or broken UTF-8' });
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => look(item, `${path}[${index}]`, depth + 1, found));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const place = path === '' ? key : `${path}.${key}`;
      look(key, place, depth, found);
      look(item, place, depth + 1, found);
    }
  }
}
