#!/usr/bin/env node
/** The `tarl` command from any Node: prepares the checkout, then hands over to the pinned Node. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { giveUp, pinnedNode, prepare, root } from './prepare.mjs';

await prepare().catch(giveUp);

// The channel tells the child when we are gone, however we went.
const child = spawn(pinnedNode, [join(root, 'dist/src/cli/main.js'), ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.once('error', giveUp);
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
