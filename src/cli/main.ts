import { endWithReaders } from './output.js';
import { runCommand } from './program.js';

endWithReaders();
const exitCode = await runCommand(process.argv);
// What is written to a pipe may still wait for its reader, and would be lost with the process.
for (const stream of [process.stdout, process.stderr]) await new Promise((taken) => stream.write('', taken));
// Ends at once, whatever is still open: a command has closed what matters before it returns.
process.exit(exitCode);
