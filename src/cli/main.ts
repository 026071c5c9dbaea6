import { runCommand } from './program.js';

// Ends at once, whatever is still open: a command has closed what matters before it returns.
process.exit(await runCommand(process.argv));
