#!/usr/bin/env node
/** The `tarl` command from any Node: prepares the checkout, then hands over to the pinned Node. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { giveUp, pinnedNode, prepare, root } from './prepare.mjs';

await prepare().catch(giveUp);

// The channel tells the child when we are gone, however we went.
// Frequent collections of few young objects hold a request up less than rare ones of many, and those of old objects least when they are rare.
// A hundred seconds after the last of these V8 would make one to save memory, which compacts, and holds requests up for half a second.
const { config } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { MEMORY_FLAGS } = await import(pathToFileURL(join(root, 'dist/src/platform/eventstore/embedded/memory-flags.js')).href);
const [command, verb = 'up'] = process.argv.slice(2);
const isEventStore = command === 'eventstore' && (verb === 'up' || verb.startsWith('-'));
const child = spawn(pinnedNode, [...(isEventStore ? MEMORY_FLAGS : config.node.split(' ')), join(root, 'dist/src/cli/main.js'), ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.once('error', giveUp);
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
