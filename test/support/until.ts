import { setTimeout as delay } from 'node:timers/promises';

/** Nothing but a broken thing takes so long, also on a slow machine that does much else; a test has three times as long. */
export const patience_ms = 100_000;

/** Waits until the condition holds, asking again and again, and fails where it never does. */
export async function until<T>(what: string, condition: () => T | Promise<T>, longest_ms = patience_ms): Promise<NonNullable<T>> {
  const deadline = Date.now() + longest_ms;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`Waited ${longest_ms} ms in vain until ${what}`);
    await delay(20);
  }
}
