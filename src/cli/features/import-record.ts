import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ReadFrom, RowBatch } from '../rows/source.js';
import type { Tally } from './tally.js';

const saveEveryMs = 200;

const record = z.object({
  import: z.string(),
  /** How far the file has been read and its rows acknowledged. */
  from: z.object({ rows: z.int(), byte: z.int().optional(), line: z.int().optional(), names: z.array(z.string()).optional() }),
  rowsWritten: z.int(),
  rowsRejected: z.int(),
  rowsQuarantined: z.int(),
  position: z.string(),
});
type Told = z.output<typeof record>;

/**
 * What is known of an import that has not ended, in a file of the user's own state. It only saves time: rows that are
 * sent again are recognised by the platform, so a record that is lost or a moment old loses and doubles nothing.
 */
export class ImportRecord {
  private savedAt = 0;
  private hasComplained = false;

  private constructor(
    private readonly path: string,
    private readonly name: string,
    readonly told: Told | undefined,
  ) {}

  /** The record of an import by its name. */
  static async open(name: string): Promise<ImportRecord> {
    const folder = join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'tarl/imports');
    const path = join(folder, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.json`);
    return new ImportRecord(path, name, await read(path, name));
  }

  /** Where reading goes on. */
  get from(): ReadFrom {
    return this.told?.from ?? { rows: 0 };
  }

  /** Notes that everything up to the end of a batch is acknowledged; written now and then. */
  async note({ first, rows, endByte, lines, columns }: RowBatch, { rowsWritten, rowsRejected, rowsQuarantined, position }: Tally): Promise<void> {
    if (Date.now() - this.savedAt < saveEveryMs) return;
    this.savedAt = Date.now();
    const from = { rows: first + rows - 1, ...(endByte !== undefined && { byte: endByte, line: lines!.at(-1), names: [...columns.keys()] }) };
    const text = JSON.stringify({ import: this.name, from, rowsWritten, rowsRejected, rowsQuarantined, position } satisfies Told);
    // The same import may run twice at once; neither takes the other's file away.
    const beside = `${this.path}.${process.pid}.new`;
    try {
      await mkdir(dirname(this.path), { recursive: true });
      await writeFile(beside, text);
      await rename(beside, this.path);
    } catch (error) {
      // Nothing is lost by it: whoever imports the file again sends what is known already.
      this.complain((error as Error).message);
    }
  }

  private complain(why: string): void {
    if (!this.hasComplained) process.stderr.write(`If this import is ended it has to begin again, because where it was cannot be noted: ${why}\n`);
    this.hasComplained = true;
  }

  /** The import has ended. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

async function read(path: string, name: string): Promise<Told | undefined> {
  try {
    const told = record.parse(JSON.parse(await readFile(path, 'utf8')));
    return told.import === name ? told : undefined;
  } catch {
    // Without a record that can be read, everything is sent again.
    return undefined;
  }
}
