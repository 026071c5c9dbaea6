import pg from 'pg';
import { SetupError } from './setup-error.js';

/** How long a store of the user's own has to answer at the start, where the machine is busy and so is this process. */
const patience_ms = 30_000;

/** Fails with a SetupError that says why the Postgres of the user's own cannot be used. */
export async function reachPostgres(url: string): Promise<void> {
  try {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: patience_ms });
    // One that breaks while it is closed is of no interest any more.
    client.on('error', () => undefined);
    await client.connect();
    await client.end();
  } catch (error) {
    throw new SetupError(`The Postgres of TARL_POSTGRES_URL cannot be used: ${reasonOf(error)}.`, { cause: error });
  }
}

/** Fails with a SetupError that says why the event store of the user's own cannot be used. */
export async function reachEventStore(url: string): Promise<void> {
  const { connect } = await import('../eventstore/index.js');
  const store = connect(url);
  try {
    await store.health({ deadlineMs: patience_ms });
  } catch (error) {
    throw new SetupError(`The event store of TARL_EVENTSTORE_URL cannot be used: ${reasonOf(error)}.`, { cause: error });
  } finally {
    await store.close();
  }
}

/** A name with several addresses fails with an error for each and no words of its own. */
function reasonOf(error: unknown): string {
  const { message, errors } = error as AggregateError;
  const said = message || (errors?.at(-1) as Error | undefined)?.message || String(error);
  // gRPC wraps what the network said into words of its own.
  return /Last error: (?:Error: )?(.+?)\. Resolution note/.exec(said)?.[1] ?? said.replace(/\.$/, '');
}
