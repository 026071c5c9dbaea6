import { expect, test } from '@jest/globals';
import { validate, version } from 'uuid';
import { newCommandId } from '../../../src/commands/kit/command-ids.js';

test('no two commands have one id, and each begins with its time', () => {
  const before = Date.now();
  const ids = Array.from({ length: 2_000 }, newCommandId);
  expect(new Set(ids.map((id) => id.slice(14))).size).toBe(ids.length);
  for (const id of ids) {
    expect([validate(id), version(id)]).toEqual([true, 7]);
    const time = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
    expect(time >= before && time <= Date.now()).toBe(true);
  }
});
