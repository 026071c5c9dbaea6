import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Contents, type IsNamed } from '../../src/platform/contents.js';

let folder: string;
let contents: Contents;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarl-contents-'));
  contents = new Contents(join(folder, 'sets'), '.parquet');
});
afterEach(() => rm(folder, { recursive: true }));

const hash = 'ab'.repeat(32);
const day = 24 * 3_600_000;
const nobody: IsNamed = async () => false;
const everybody: IsNamed = async () => true;

async function keep(of = hash): Promise<void> {
  const file = await contents.begin();
  await writeFile(file.path, of);
  await file.keep(of);
}
/** All files, those in folders of their own too. */
const files = async () => (await readdir(join(folder, 'sets'), { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile()).map(({ name }) => name).sort();
/** Makes every file in the folder itself two days old. */
async function wait(): Promise<void> {
  const then = new Date(Date.now() - 2 * day);
  for (const entry of await readdir(join(folder, 'sets'), { withFileTypes: true })) if (entry.isFile()) await utimes(join(folder, 'sets', entry.name), then, then);
}
const kept = [`${hash}.parquet`];

describe('a content whose work has failed', () => {
  test('is removed where nobody names it, with its claim', async () => {
    const claim = await contents.claim(hash);
    await keep();
    await contents.removeUnnamed(claim, nobody);
    expect(await files()).toEqual([]);
  });

  test('stays where somebody names it, and the claim ends', async () => {
    const claim = await contents.claim(hash);
    await keep();
    await contents.removeUnnamed(claim, everybody);
    expect(await files()).toEqual(kept);
  });

  test('stays where it cannot be found out whether somebody names it, and the claim with it', async () => {
    const claim = await contents.claim(hash);
    await keep();
    await expect(contents.removeUnnamed(claim, () => Promise.reject(new Error('Postgres is away')))).rejects.toThrow('away');
    let asked = 0;
    const awayLater: IsNamed = async () => {
      if (++asked === 2) throw new Error('Postgres is away');
      return false;
    };
    await expect(contents.removeUnnamed(claim, awayLater)).rejects.toThrow('away');
    expect(await files()).toEqual([claim.name, ...kept].sort());
  });

  test('stays while other work claims it, and goes with the last that fails', async () => {
    const [one, other] = [await contents.claim(hash), await contents.claim(hash)];
    await keep();
    await contents.removeUnnamed(one, nobody);
    expect(await files()).toContain(kept[0]);
    await other.release();
    await contents.removeUnnamed(one, nobody);
    expect(await files()).toEqual([]);
  });

  test('stays for work that claims it, or names it, while it is being looked for who needs it', async () => {
    for (const between of [async () => void (await contents.claim(hash)), async () => undefined]) {
      const claim = await contents.claim(hash);
      await keep();
      let looks = 0;
      const changing: IsNamed = async () => {
        if (++looks === 1) {
          await between();
          return false;
        }
        return true;
      };
      await contents.removeUnnamed(claim, changing);
      expect(await files()).toContain(kept[0]);
      expect(await readFile(contents.pathOf(hash), 'utf8')).toBe(hash);
    }
  });

  test('that was never made needs nothing but the end of its claim', async () => {
    await contents.removeUnnamed(await contents.claim(hash), nobody);
    expect(await files()).toEqual([]);
  });
});

describe('what work that died has left behind', () => {
  test('is cleared after a day: files that were never whole, contents that nobody names, and claims', async () => {
    const other = 'cd'.repeat(32);
    for (const content of [hash, hash, other]) {
      await contents.claim(content);
      await keep(content);
    }
    await writeFile((await contents.begin()).path, 'half');
    const before = await files();
    await contents.clearLeftBehind(day, nobody);
    expect(await files()).toEqual(before);
    await wait();
    await contents.clearLeftBehind(day, async (asked) => asked === other);
    expect(await files()).toEqual([`${other}.parquet`]);
  });

  test('leaves alone what living work claims, and what was never claimed', async () => {
    await contents.claim(hash);
    await keep();
    await keep('ef'.repeat(32));
    await wait();
    const living = await contents.claim(hash);
    await contents.clearLeftBehind(day, nobody);
    expect(await files()).toEqual(expect.arrayContaining([living.name, ...kept, `${'ef'.repeat(32)}.parquet`]));
  });

  test('is put back where the clearing itself died half-way and somebody names it', async () => {
    const claim = await contents.claim(hash);
    await keep();
    const died = contents.removeUnnamed(claim, (() => {
      let asked = 0;
      return () => (++asked === 1 ? Promise.resolve(false) : new Promise<boolean>(() => undefined));
    })());
    void died;
    while (await contents.has(hash)) await new Promise(setImmediate);
    await wait();
    await contents.clearLeftBehind(day, everybody);
    expect(await files()).toEqual(kept);
  });

  test('is nothing where there is no folder yet', async () => {
    await contents.clearLeftBehind(day, nobody);
    expect(await contents.has(hash)).toBe(false);
  });
});
