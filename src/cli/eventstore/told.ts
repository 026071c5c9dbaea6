import { FolderProblem } from '../../platform/eventstore/embedded/store/folder.js';
import { CommandFailure, exitCodes } from '../exit-codes.js';

/** Waits for work on a store; what its folder or its port has against it is told in a sentence. */
export async function told<T>(work: Promise<T>): Promise<T> {
  const { PortInUse } = await import('../../platform/eventstore/embedded/listener.js');
  return work.catch((cause: Error) => {
    throw cause instanceof FolderProblem || cause instanceof PortInUse ? new CommandFailure(cause.message, exitCodes.failure, { cause }) : cause;
  });
}
