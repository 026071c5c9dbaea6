import { nearestDouble } from './decimal.js';

const comma = 0x2c;
const minus = 0x2d;
const pointCode = 0x2e;
const zero = 0x30;
const close = 0x5d;
const letterN = 0x6e;

/** As many digits as an integer of 32 bits holds whatever they are: reckoning with those is faster than with doubles. */
const digitsOfPart = 9;

/** Whole numbers read so far; kept, because a new array for each event would cost more than reading it. */
let whole = new Float64Array(16_384);

/** The place after the number that was read last. */
let end = 0;

/** A JSON array of whole numbers from zero on that begins at a place, which are there until the next ones are read; undefined for any other text. `end` is the place after it. */
export function wholeNumbersAt(text: Buffer, start: number): { readonly numbers: Float64Array; readonly end: number } | undefined {
  let count = 0;
  let at = start;
  do {
    const number = numberAt(text, at + 1);
    if (!Number.isSafeInteger(number)) return undefined;
    if (count === whole.length) whole = doubled(whole);
    whole[count++] = number;
    at = end;
  } while (text[at] === comma);
  return text[at] === close ? { numbers: whole.subarray(0, count), end: at + 1 } : undefined;
}

/** A JSON array of so many numbers, NaN where one is null; undefined for any other text. */
export function numbersAt(text: Buffer, start: number, count: number): Float64Array | undefined {
  const numbers = new Float64Array(count);
  let at = start;
  for (let nth = 0; nth < count; nth++) {
    const code = text[++at];
    if (code === letterN) {
      numbers[nth] = NaN;
      at += 4;
    } else {
      const number = code === minus ? -numberAt(text, at + 1) : numberAt(text, at);
      if (Number.isNaN(number)) return undefined;
      numbers[nth] = number;
      at = end;
    }
    if (text[at] !== (nth === count - 1 ? close : comma)) return undefined;
  }
  return numbers;
}

/** The number without a sign that begins at a place, as JSON.parse reads it, and `end` set to the place after it; NaN for anything else. */
function numberAt(text: Buffer, start: number): number {
  let at = start;
  let head = 0;
  let digit = text[at]! - zero;
  for (const last = at + digitsOfPart; digit >= 0 && digit <= 9 && at < last; digit = text[at]! - zero) {
    head = head * 10 + digit;
    at++;
  }
  if (at === start) return NaN;
  end = at;
  if (digit === comma - zero || digit === close - zero) return head;
  return longNumber(text, start, at, head);
}

/** A number with more digits or a fraction, of which `head` is read up to `at`. */
function longNumber(text: Buffer, start: number, at: number, head: number): number {
  let place = at;
  let point = -1;
  // Zeros before the first digit say nothing but where the point stands.
  let left = head === 0 ? digitsOfPart : digitsOfPart - (at - start);
  let digit = text[place]! - zero;
  if (digit === pointCode - zero) {
    point = place++;
    for (digit = text[place]! - zero; left > 0 && digit >= 0 && digit <= 9; digit = text[place]! - zero) {
      head = head * 10 + digit;
      if (head !== 0) left--;
      place++;
    }
  }
  let tail = 0;
  let tailLength = 0;
  for (; tailLength < digitsOfPart; digit = text[place]! - zero) {
    if (digit >= 0 && digit <= 9) {
      tail = tail * 10 + digit;
      tailLength++;
    } else if (digit === pointCode - zero && point < 0) point = place;
    else break;
    place++;
  }
  end = place;
  const isOver = digit === comma - zero || digit === close - zero;
  const nearest = isOver ? nearestDouble(head, tail, tailLength, point < 0 ? 0 : place - point - 1) : NaN;
  return Number.isNaN(nearest) ? unusualNumber(text, start) : nearest;
}

/** A number of very many digits or with an exponent. */
function unusualNumber(text: Buffer, start: number): number {
  end = start;
  while (end < text.length && text[end] !== comma && text[end] !== close) end++;
  return Number(text.toString('latin1', start, end));
}

function doubled(numbers: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
