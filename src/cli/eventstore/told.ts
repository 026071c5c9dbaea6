import { FolderProblem } from '../../platform/eventstore/embedded/store/folder.js';
import { CommandFailure, exitCodes } from '../exit-codes.js';

/** Failures that are told in a sentence of their own, by name: their classes need not be loaded for it. */
const exitCodeByName: Readonly<Record<string, number>> = {
  PortInUse: exitCodes.failure,
  BadIdentity: exitCodes.usage,
  WritingStopped: exitCodes.failure,
  LineError: exitCodes.usage,
  PositionError: exitCodes.usage,
  EventStoreRefused: exitCodes.refused,
  AccessDenied: exitCodes.refused,
  EventStoreUnavailable: exitCodes.unavailable,
  EventStoreTimeout: exitCodes.unavailable,
};

/** Waits for work on a store; what stands against it is told in a sentence. */
export function told<T>(work: Promise<T>): Promise<T> {
  return work.catch((cause: Error) => {
    const exitCode = cause instanceof FolderProblem ? exitCodes.failure : exitCodeByName[cause.name];
    throw exitCode === undefined ? cause : new CommandFailure(cause.message, exitCode, { cause });
  });
}
