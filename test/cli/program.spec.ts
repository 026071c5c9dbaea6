import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { makeProgram } from '../../src/cli/program.js';
import { tarl } from '../support/tarl.js';

/** Where a full disk is a device. */
const onLinux = existsSync('/dev/full') ? test : test.skip;

function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

test.each(all(makeProgram()).map((command) => [command.name(), command] as const))('the help of %s shows an example', (_name, command) => {
  let help = '';
  command.configureOutput({ writeOut: (text) => { help += text; } }).outputHelp();
  expect(help).toMatch(/Examples?:\n {2}\$ /);
});

test('the help of a command names the options that every command has', () => {
  const list = makeProgram().commands.find((command) => command.name() === 'projects')!.commands.find((command) => command.name() === 'list')!;
  expect(list.helpInformation()).toMatch(/Global Options:\n[^]*--json[^]*--profile <name>/);
});

test('a command that does not exist is wrong usage, exit code 2, with the nearest one named', async () => {
  const wrong = tarl(['upp']);
  expect(await wrong.ended).toBe(2);
  expect(wrong.output.err).toContain('Did you mean up?');
});

test('the version is said to whoever asks for it', async () => {
  const asked = tarl(['--version']);
  expect(await asked.ended).toBe(0);
  expect(asked.output.out.trim()).toMatch(/^\d+\.\d+\.\d+/);
});

test('help can be asked for by its name, of everything and of a group', async () => {
  const [all, group, nothing] = [tarl(['help']), tarl(['help', 'projects', 'create']), tarl(['help', 'nothing'])];
  expect(await Promise.all([all.ended, group.ended, nothing.ended])).toEqual([0, 0, 2]);
  expect([all.output.out, group.output.out]).toEqual([expect.stringContaining('$ tarl up'), expect.stringContaining('$ tarl projects create')]);
});

onLinux('output that cannot be written ends a command with a sentence', async () => {
  const { status, stderr } = spawnSync('sh', ['-c', '"$0" dist/src/cli/main.js --version > /dev/full', resolve('node_modules/node/bin/node')], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([1, 'The output cannot be written: ENOSPC: no space left on device, write.\n']);
});

test('help and an explained failure are told apart by the exit code', async () => {
  const [help, failure] = [tarl(['--help']), tarl(['up'], { env: { TARL_LOG_LEVEL: 'loud' } })];
  expect(await Promise.all([help.ended, failure.ended])).toEqual([0, 1]);
  expect(failure.output.err.trim().split('\n')).toHaveLength(1);
});

test('the bash completion offers the commands, and the choices of a command', async () => {
  const script = tarl(['completion', 'bash']);
  await script.ended;
  const complete = (...words: string[]) =>
    execFileSync('bash', ['-c', `${script.output.out}\nCOMP_WORDS=(tarl ${words.join(' ')} ""); COMP_CWORD=${words.length + 1}; _tarl; echo "\${COMPREPLY[@]}"`], { encoding: 'utf8' });
  expect(complete()).toContain('completion');
  expect(complete('--json')).toContain('up');
  expect(complete('completion')).toContain('fish');
});

/** The same words, as zsh would offer them; its own functions for that are only there while somebody types. */
const withZsh = spawnSync('zsh', ['-fc', 'true']).status === 0 ? test : test.skip;

withZsh('the zsh completion offers the commands, and the choices of a command', async () => {
  const script = tarl(['completion', 'zsh']);
  await script.ended;
  const complete = (...words: string[]) =>
    execFileSync('zsh', ['-fc', `compdef() {}; compadd() { print -r -- "\${@[2,-1]}" }\n${script.output.out}\nwords=(tarl ${words.join(' ')} ''); CURRENT=${words.length + 2}; _tarl`], { encoding: 'utf8' });
  expect(complete()).toContain('completion');
  expect(complete('--json')).toContain('up');
  expect(complete('projects')).toMatch(/^create /);
  expect(complete('completion')).toContain('fish');
});
