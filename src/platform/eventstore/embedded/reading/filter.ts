import { isParkedOfAll } from '../groups/config.js';
import type { Block } from '../store/block.js';
import type { FilterRequest } from '../wire/read-requests.js';
import { linearRegex } from './linear-regex.js';
import { LINK_TYPE } from './links.js';

/** Whether a reader wants the event of this row. */
export type RowFilter = (block: Block, row: number) => boolean;

/** Verdicts remembered by stream name or type, most of which come again and again. */
const REMEMBERED = 10_000;

/**
 * What a filter asks for, as a test of rows. What groups on `$all` set aside is never let through, as by the real server.
 * Throws a Refusal for an expression that cannot be run.
 */
export function rowFilter(request: FilterRequest): RowFilter {
  const test = textFilter(request);
  if (request.on === 'stream') {
    const wantsStream = remembered((stream) => test(stream) && !isParkedOfAll(stream));
    return (block, row) => wantsStream(block.streamName(row));
  }
  const wantsType = remembered(test);
  return (block, row) => {
    const type = block.type(row);
    return wantsType(type) && !(type === LINK_TYPE && isParkedOfAll(block.streamName(row)));
  };
}

function textFilter({ regex, prefixes }: FilterRequest): (text: string) => boolean {
  if (regex !== undefined) return linearRegex(regex);
  return (text) => prefixes.some((prefix) => text.startsWith(prefix));
}

function remembered(test: (text: string) => boolean): (text: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return (text) => {
    const known = verdicts.get(text);
    if (known !== undefined) return known;
    const verdict = test(text);
    if (verdicts.size >= REMEMBERED) verdicts.clear();
    verdicts.set(text, verdict);
    return verdict;
  };
}
