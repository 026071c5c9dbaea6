import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

/** A small checkout that shares the installed packages of this one. */
let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'tarl-test-checkout-'));
  for (const name of ['bin', 'package.json', 'package-lock.json', '.swcrc']) cpSync(name, join(checkout, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(checkout, 'node_modules'));
  for (const folder of ['src', 'bench', 'demo', 'migrations', 'test']) mkdirSync(join(checkout, folder));
  writeFileSync(join(checkout, 'src/one.ts'), 'export const one: number = 1;\n');
});
afterEach(() => rmSync(checkout, { recursive: true }));

function run(script: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(checkout, 'bin', script), ...args], { cwd: checkout, encoding: 'utf8' });
}

/** A suite of the small checkout. */
function suite(name: string, text: string): void {
  writeFileSync(join(checkout, 'jest.config.mjs'), 'export default { testMatch: ["**/test/*.spec.mjs"] };\n');
  writeFileSync(join(checkout, 'test', `${name}.spec.mjs`), text);
}

const compiled = (name: string) => join(checkout, 'dist/src', name);

test('what is compiled follows the sources: changed files are built again, removed ones disappear', () => {
  writeFileSync(join(checkout, 'src/two.ts'), 'export const two: number = 2;\n');
  expect(run('prepare.mjs')).toMatchObject({ status: 0 });
  expect(existsSync(compiled('two.js'))).toBe(true);
  writeFileSync(join(checkout, 'src/one.ts'), 'export const one: string = "eins";\n');
  rmSync(join(checkout, 'src/two.ts'));
  expect(run('prepare.mjs')).toMatchObject({ status: 0 });
  expect(readFileSync(compiled('one.js'), 'utf8')).toContain('eins');
  expect(existsSync(compiled('two.js'))).toBe(false);
});

test('a source that does not compile stops the start with its name and exit code 1', () => {
  writeFileSync(join(checkout, 'src/broken.ts'), 'export const = ;\n');
  expect(run('prepare.mjs')).toMatchObject({ status: 1, stderr: expect.stringContaining('src/broken.ts') });
});

test('npm test ends with the counts of all tests, and fails when one fails, when a suite does not load, or when none ran', () => {
  const outcome = (...args: string[]) => {
    const { status, stdout } = run('test.mjs', ...args);
    return [status, stdout.trimEnd().split('\n').at(-1)];
  };
  suite('good', 'test("a", () => {}); test("b", () => {});');
  expect(outcome()).toEqual([0, 'tests: 2 passed, 0 failed']);
  suite('bad', 'test("c", () => { throw new Error("no"); });');
  suite('unreadable', 'import "./absent.mjs";');
  expect(outcome()).toEqual([1, 'tests: 2 passed, 2 failed']);
  expect(outcome('nothing-of-this-name')).toEqual([1, 'tests: 0 passed, 1 failed']);
});

test('npm test --again runs the failed files once more, names what passes only then, and fails when one fails twice', () => {
  const end = () => {
    const { status, stdout } = run('test.mjs', '--again');
    return [status, ...stdout.trimEnd().split('\n').slice(-2)];
  };
  suite('good', 'test("a", () => {});');
  suite('busy', 'import fs from "node:fs"; test("b", () => { if (!fs.existsSync("seen")) { fs.writeFileSync("seen", ""); throw new Error("no"); } });');
  expect(end()).toEqual([0, 'failed beside others, passed alone: test/busy.spec.mjs: b', 'tests: 2 passed, 0 failed']);
  suite('bad', 'test("c", () => { throw new Error("no"); });');
  expect(end()).toEqual([1, expect.any(String), 'tests: 2 passed, 1 failed']);
  for (const name of ['bad-2', 'bad-3', 'bad-4']) suite(name, 'test("d", () => { throw new Error("no"); });');
  const { stdout } = run('test.mjs', '--again');
  expect(stdout).not.toContain('Once more');
  expect(stdout).toContain('tests: 2 passed, 4 failed');
});
