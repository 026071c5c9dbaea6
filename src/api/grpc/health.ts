import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

const everyMs = 3000;

/**
 * Serves grpc.health.v1: every service, and the server as a whole (''), serves while the platform is ready. Watchers
 * hear of every change. Returns what to do when the server stops.
 */
export function serveHealth(server: Server, services: readonly string[], isReady: () => Promise<boolean>): () => void {
  const names = ['', ...services];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'SERVING' as const])));
  health.addToServer(server as never);
  let serving = true;
  let timer: NodeJS.Timeout | undefined;
  const say = (ready: boolean) => {
    if (ready !== serving) for (const name of names) health.setStatus(name, ready ? 'SERVING' : 'NOT_SERVING');
    serving = ready;
  };
  const lookAgain = () => {
    timer = setTimeout(async () => {
      const ready = await isReady();
      // Stopped meanwhile.
      if (timer === undefined) return;
      say(ready);
      lookAgain();
    }, everyMs).unref();
  };
  lookAgain();
  return () => {
    clearTimeout(timer);
    timer = undefined;
    say(false);
  };
}
