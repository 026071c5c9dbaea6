import type { Core } from './core.js';

/** Whether TARL can do its work, and what is in the way when not. */
export interface Health {
  readonly ready: boolean;
  readonly checks: Readonly<Record<'eventStore' | 'postgres' | 'projections', { readonly ok: boolean; readonly reason?: string; readonly warning?: string }>>;
}

const patienceMs = 2000;

/** Asks everything that TARL stands on. Projections are ready within the lag limit, in milliseconds. */
export async function healthOf({ eventStore, pool, projections }: Pick<Core, 'eventStore' | 'pool' | 'projections'>, lagLimitMs: number): Promise<Health> {
  const [eventStoreCheck, postgres, views] = await Promise.all([
    check('The event store', async () => void (await eventStore.endOfLog({ deadlineMs: patienceMs }))),
    check('Postgres', async () => void (await pool.query('select 1'))),
    check('The projections', async () => {
      const status = await projections.status();
      requireCaughtUp(status, lagLimitMs);
      return parkedKeysOf(status);
    }),
  ]);
  return { ready: eventStoreCheck.ok && postgres.ok && views.ok, checks: { eventStore: eventStoreCheck, postgres, projections: views } };
}

/** A view that is late or fails; its message is for whoever looks at the health page. */
class Behind extends Error {}

type Views = Awaited<ReturnType<Core['projections']['status']>>;

/** Parked keys leave the platform ready: taking every node away would help nobody, but whoever looks should know. */
function parkedKeysOf(views: Views): string | undefined {
  const parked = views.filter(({ parkedKeys }) => parkedKeys > 0).map(({ name, parkedKeys }) => `${name} has ${parkedKeys} parked ${parkedKeys === 1 ? 'key' : 'keys'}`);
  return parked.length > 0 ? parked.join('; ') : undefined;
}

function requireCaughtUp(views: Views, lagLimitMs: number): void {
  const late = views.filter(({ state, lagMs }) => state === 'failing' || lagMs > lagLimitMs);
  if (late.length === 0) return;
  throw new Behind(late.map(({ name, state, error, lagMs }) => (state === 'failing' ? `${name} fails: ${error ?? 'see the log'}` : `${name} is ${(lagMs / 1000).toFixed(1)} s behind`)).join('; '));
}

/** What it resolves to is worth a warning. */
async function check(what: string, ask: () => Promise<string | undefined | void>): Promise<{ ok: boolean; reason?: string; warning?: string }> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => silence.reject(new Behind(`${what} did not answer within ${patienceMs} ms`)), patienceMs);
  try {
    const warning = await Promise.race([ask(), silence.promise]);
    return warning ? { ok: true, warning } : { ok: true };
  } catch (error) {
    // The page needs no key, so it names the part that fails but not the address or the account it fails with.
    return { ok: false, reason: error instanceof Behind ? error.message : `${what} cannot be reached` };
  } finally {
    clearTimeout(timer);
  }
}
