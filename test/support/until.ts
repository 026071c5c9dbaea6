import { setTimeout as delay } from 'node:timers/promises';

/** Waits until the condition holds, asking again and again; fails after a time that only a broken thing needs. */
export async function until<T>(what: string, condition: () => T | Promise<T>, patience_ms = 30_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`Waited ${patience_ms} ms in vain until ${what}`);
    await delay(20);
  }
}
