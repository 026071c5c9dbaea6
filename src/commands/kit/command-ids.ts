import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const idsAtOnce = 256;
const pool = Buffer.alloc(idsAtOnce * 16);
const parts = Array.from({ length: idsAtOnce }, (_, id) => pool.subarray(id * 16, (id + 1) * 16));
let used = idsAtOnce;

/** The id of a new command: a UUID that begins with the time. Its random part is taken from many made at once, because asking the system each time costs more than all the rest of an id. */
export function newCommandId(): string {
  if (used === idsAtOnce) {
    randomFillSync(pool);
    used = 0;
  }
  return uuidv7({ random: parts[used++] });
}
