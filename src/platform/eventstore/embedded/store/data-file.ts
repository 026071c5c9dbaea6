import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { Refusal } from '../refusals.js';
import { FolderProblem, layoutOf } from './folder.js';

/** The file of a data folder that holds everything. */
export const DATA_FILE = 'events.mdb';

/*
 * The two pages at the head of LMDB's file, each of which tells of a transaction: see MDB_page and MDB_meta in mdb.c. LMDB itself
 * trusts them, and what they lead to beyond the end of the file ends the process.
 */
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const HEAD_BYTES = 160;

/** `short`: its pages end before the last one that was ever used, as they may where those were free, or where the file was cut off. */
export type DataFile = 'absent' | 'whole' | 'short';

/** Looks at a data file before LMDB does. Throws FolderProblem for one that LMDB could not open, or that is gone though there was one. */
export function lookAtDataFile(dir: string, layoutVersion = Infinity): DataFile {
  const file = join(dir, DATA_FILE);
  const size = existsSync(file) ? statSync(file).size : 0;
  if (size === 0) {
    if (layoutOf(dir, layoutVersion) === undefined) return 'absent';
    throw damaged(dir, 'it is empty or gone');
  }
  const first = headOf(file, 0);
  if (first === undefined) throw damaged(dir, 'its first page is not one');
  const second = headOf(file, first.pageSize);
  const latest = second !== undefined && second.transaction > first.transaction ? second : first;
  return size < (latest.lastPage + 1) * first.pageSize ? 'short' : 'whole';
}

interface Head {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: number;
}

function headOf(file: string, at: number): Head | undefined {
  const bytes = Buffer.alloc(HEAD_BYTES);
  const handle = openSync(file, 'r');
  const length = readSync(handle, bytes, 0, HEAD_BYTES, at);
  closeSync(handle);
  if (length < HEAD_BYTES || bytes.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined;
  const [lastPage, transaction] = [LAST_PAGE_AT, TRANSACTION_AT].map((place) => Number(bytes.readBigUInt64LE(place)));
  return { pageSize: bytes.readUInt32LE(PAGE_SIZE_AT), lastPage: lastPage!, transaction: transaction! };
}

/** A data file that cannot be used, as the operator is told. */
export const damaged = (dir: string, what: string): FolderProblem =>
  new FolderProblem(`The data file in ${dir} is damaged: ${what.replace(/\.$/, '')}. Restore a backup with \`tarl eventstore restore\`.`);

/** Whether this is what LMDB, or a checksum of our own, says of damaged pages. */
export function isDamage(error: unknown): error is Error {
  if (error instanceof Refusal) return error.code === status.DATA_LOSS;
  return error instanceof Error && /^MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|BAD_TXN)/.test(error.message);
}
