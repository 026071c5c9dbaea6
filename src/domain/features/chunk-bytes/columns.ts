import type { ReadableColumn } from '../chunk.js';
import type { Place } from './lazy-columns.js';
import { numbersAt } from './numbers.js';

const open = 0x5b;
const close = 0x5d;
const quote = 0x22;
const backslash = 0x5c;
const letterN = 0x6e;
const closeBrace = 0x7d;
const dictionaryBegins = '{"of":';
const placesBegin = ',"at":';

/** The place after a column's text that begins at a place; -1 where it is not as `encodeChunk` writes it. */
export function endOfColumn(text: Buffer, start: number): number {
  if (text[start] === letterN) return start + 4;
  if (text[start] === open) return endOfArray(text, start);
  const places = placesOf(text, start);
  const end = places < 0 ? -1 : endOfArray(text, places);
  return text[end] === closeBrace ? end + 1 : -1;
}

/** A column of so many rows, as valueAt reads it; undefined where its text does not fit them. */
export function columnAt(text: Buffer, { start, end }: Place, rows: number): ReadableColumn | null | undefined {
  if (text[start] === letterN) return null;
  if (text[start] === open) {
    const numbers = numbersAt(text, start, rows);
    if (numbers) return numbers;
    const values = JSON.parse(text.toString('utf8', start, end));
    return values.length === rows ? values : undefined;
  }
  const places = placesOf(text, start);
  const at = numbersAt(text, places, rows);
  if (!at) return undefined;
  const of: string[] = JSON.parse(text.toString('utf8', start + dictionaryBegins.length, places - placesBegin.length));
  // The index of none is beyond the strings.
  return { of, at: Uint32Array.from(at, (place) => (Number.isNaN(place) ? of.length : place)) };
}

/** Where the places of a column of repeated strings begin; -1 for any other text. */
function placesOf(text: Buffer, start: number): number {
  if (text.toString('latin1', start, start + dictionaryBegins.length) !== dictionaryBegins) return -1;
  const end = endOfArray(text, start + dictionaryBegins.length);
  return end > 0 && text.toString('latin1', end, end + placesBegin.length) === placesBegin ? end + placesBegin.length : -1;
}

/** The place after an array; -1 where it has no end. */
function endOfArray(text: Buffer, start: number): number {
  const end = text.indexOf(close, start);
  if (isBefore(end, text.indexOf(quote, start)) && isBefore(end, text.indexOf(open, start + 1))) return end + 1;
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text[at];
    if (code === quote) at = endOfString(text, at);
    else if (code === open) depth++;
    else if (code === close && --depth === 0) return at + 1;
  }
  return -1;
}

/** Whether a place that was found comes before another that may not have been. */
const isBefore = (place: number, other: number): boolean => place >= 0 && (other < 0 || place < other);

/** The closing quote of a string; the text's end where there is none. */
function endOfString(text: Buffer, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1;
  return at;
}
