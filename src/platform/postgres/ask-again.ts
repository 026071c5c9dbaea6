import { isConnectionLost } from './unavailable.js';

/** Every failure finds out one dead connection, and a pool of TARL's has no more than these. */
const mostRepeats = 16;

/**
 * The same pool for statements that only read: one whose connection has died meanwhile, as idle ones do when their sessions are
 * ended, is asked again on another. A statement that changes something has no place here: it may have been carried out.
 */
export function askingAgain<Asked extends { query(...statement: any[]): Promise<any> }>(pool: Asked): Asked {
  async function query(...statement: unknown[]): Promise<unknown> {
    for (let repeats = 0; ; repeats++) {
      try {
        return await pool.query(...statement);
      } catch (error) {
        if (repeats === mostRepeats || !isConnectionLost(error)) throw error;
      }
    }
  }
  return Object.create(pool, { query: { value: query } }) as Asked;
}
