import { Refusal, type FieldViolation } from '../domain/kit/index.js';

// Control characters besides tab and line ends, halves of surrogate pairs, and the sign that stands for broken UTF-8:
// Postgres, the log or a terminal would choke on them later, when nobody can refuse them any more.
// eslint-disable-next-line no-control-regex
const unstorable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]|\p{Surrogate}/u;

/** Refuses an input in which any text holds characters that cannot be kept. */
export function refuseUnstorableText(input: unknown): void {
  const fields: FieldViolation[] = [];
  look(input, '', fields);
  if (fields.length === 0) return;
  throw new Refusal('INVALID_ARGUMENT', fields.map(({ field, description }) => `${field}: ${description}`).join('; '), { reason: 'INVALID_TEXT', fields });
}

function look(value: unknown, path: string, found: FieldViolation[]): void {
  if (typeof value === 'string') {
    if (unstorable.test(value)) found.push({ field: path, description: 'holds control characters or broken UTF-8' });
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => look(item, `${path}[${index}]`, found));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const place = path === '' ? key : `${path}.${key}`;
      look(key, place, found);
      look(item, place, found);
    }
  }
}
