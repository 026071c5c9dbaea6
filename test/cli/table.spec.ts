import { expect, test } from '@jest/globals';
import { block, table } from '../../src/cli/table.js';

const views = [
  { view: 'projects', slices: [{ slice: 0, position: '8' }] },
  { view: 'jobs', slices: [{ slice: 0, position: '8' }] },
];
const many = Array.from({ length: 19 }, (_, at) => ({ view: `view_${at}`, lag: at }));

test('a list of many things in a cell of a table is counted, and one that is short stands there', () => {
  expect(table([{ tick: 1, views: many }, { tick: 2, views }]).split('\n')).toEqual([
    'tick  views',
    '   1  19 (see --json)',
    '   2  2 (see --json)',
  ]);
  expect(table(views).split('\n')[1]).toBe('projects  {"slice":0,"position":"8"}');
  expect(table([{ features: [{ name: 'amount', type: 'DOUBLE' }, { name: 'limit', type: 'INT64' }] }])).toContain('amount:DOUBLE, limit:INT64');
});

test('a list of things in one thing is a table of its own', () => {
  expect(block({ tick: 1, views, tags: [] }).split('\n')).toEqual([
    'tick  1',
    'tags',
    '',
    'views',
    '  view      slices',
    '  projects  {"slice":0,"position":"8"}',
    '  jobs      {"slice":0,"position":"8"}',
  ]);
});
