import { expect, test } from '@jest/globals';
import { linearRegex } from '../../../../../src/platform/eventstore/embedded/reading/linear-regex.js';

test.each([
  ['^\\w+$', 'ünïcode_1', true],
  ['^[\\w-]+$', 'ünï-❤', false],
  ['^[\\w-]+$', 'ünï-1', true],
  ['^\\W$', 'ü', false],
  ['^\\W$', '-', true],
  ['^order-\\d$', 'order-٣', true],
  ['^order-\\D$', 'order-x', true],
  ['^order-\\D$', 'order-٣', false],
  ['^[^\\d]$', '٣', false],
  ['a\\sb', 'a\u00a0b', true],
  ['a\\Sb', 'a\u00a0b', false],
  ['^[]\\w]$', ']', true],
  ['^[[]\\w$', '[ü', true],
  ['^\\\\w$', '\\w', true],
  ['^\\[\\w\\]$', '[ü]', true],
  ['^[^\\$].*', '$system', false],
  ['^(?!\\$)(?=\\w+-)', 'ünï-1', true],
])('%s means to a filter what it means to the real server, about %s', (expression, text, matches) => {
  expect(linearRegex(expression)(text)).toBe(matches);
});
