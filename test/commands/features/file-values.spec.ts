import { expect, test } from '@jest/globals';
import { fileValues } from '../../../src/commands/features/file-values.js';

test.each([['5', 5], [' -5.5 ', -5.5], ['.5', 0.5], ['5.', 5], ['+1e3', 1000], ['1E-3', 0.001], ['5e-324', 5e-324], [5n, 5], [0.1, 0.1]])('%p of a file is the number %d', (text, value) => {
  expect(fileValues.DOUBLE(text)).toBe(value);
});

test.each(['', ' ', '0x10', '0b1', '0o7', '1_000', '1,5', '5 %', 'NaN', 'Infinity', '1e400', '.', 'e5', NaN, true, null])('%p of a file is no number', (text) => {
  expect(fileValues.DOUBLE(text)).toBeUndefined();
});
