import { isDamage } from '../store/data-file.js';
import { FolderProblem } from '../store/folder.js';
import { unreadable, type VerifyMessage } from './verify-apart.js';
import { verifyStore } from './verify.js';

/** The process that verifies one store and tells its parent. */
const say = (message: VerifyMessage): void => void process.send?.(message);

// A parent that was killed needs no answer.
process.once('disconnect', () => process.exit());
try {
  say({ report: await verifyStore(process.argv[2]!, (done, total) => say({ done, total })) });
} catch (error) {
  if (error instanceof FolderProblem) say({ refused: error.message });
  else if (isDamage(error)) say({ report: unreadable(error.message) });
  else throw error;
}
process.disconnect();
