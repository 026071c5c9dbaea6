import { endQuietlyOnBrokenPipe } from './output.js';
import { runCommand } from './program.js';

endQuietlyOnBrokenPipe();
// Ends at once, whatever is still open: a command has closed what matters before it returns.
process.exit(await runCommand(process.argv));
