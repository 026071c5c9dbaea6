// node --expose-gc forgotten-queries.mjs <postgres url>: prints how many bytes of answered queries became old objects, without a collection of those.
import { getHeapSpaceStatistics } from 'node:v8';
import { makePool } from '../../dist/src/platform/postgres/pool.js';

const [, , url] = process.argv;

const old = () => getHeapSpaceStatistics().filter(({ space_name: name }) => name.startsWith('old') || name.startsWith('trusted')).reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
const pool = makePool(url, { max: 1 });
const client = await pool.connect();
const ask = async (count) => {
  for (let n = 0; n < count; n++) {
    await client.query({ name: 'numbers', text: 'select n from generate_series(1, $1) as n', values: [`${100 + (n % 2)}`] });
    if (n % 100 === 0) gc({ type: 'minor' });
  }
  for (let n = 0; n < 3; n++) gc({ type: 'minor' });
};
await ask(500);
const before = old();
await ask(1_000);
console.log(old() - before);
client.release();
await pool.end();
