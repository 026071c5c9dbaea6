import pg from 'pg';

/**
 * How values come out of Postgres, for every pool of TARL. int8 becomes a bigint: counts and log positions exceed what
 * a number holds exactly, and a bigint that slips into JSON fails loudly where a string would quietly be compared as text.
 * Given per pool, because pg's own registry is shared by everything in the process.
 */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8 && format !== 'binary') return BigInt;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as typeof pg.types.getTypeParser,
};

/** Makes a pool of connections; `url` is a postgres:// address. The caller ends it. `warn` hears of connections that break while nobody uses them. */
export function makePool(url: string, options: pg.PoolConfig = {}, warn: (message: string) => void = (message) => process.emitWarning(message)): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 10, types, Client: LightClient, ...options });
  // An idle connection breaks when Postgres restarts, and the next query opens another one. Without a listener the
  // pool's error would end the process.
  pool.on('error', (error) => {
    // A pool counts as ended before its last connections are closed; when Postgres stops right after, that is no news.
    if (!pool.ending) warn(`An idle connection to Postgres broke: ${error.message}`);
  });
  // One that is lent out fails the query of whoever has it; between two queries nobody would listen.
  pool.on('connect', (client) => client.on('error', (error) => pool.ending || warn(`A connection to Postgres broke: ${error.message}`)));
  return pool;
}

/**
 * A connection whose queries are forgotten once they are answered. Where pg makes the callback of a query itself it assigns a
 * function to a property, which V8 puts among the old objects at once; that holds the query with its parameters and its answer,
 * and whatever those came from, until the next collection of old objects. A callback that is handed over is an object like any other.
 */
class LightClient extends pg.Client {
  override query(config: any, values?: any, callback?: any): any {
    if (callback !== undefined || typeof values === 'function' || typeof config?.submit === 'function') return super.query(config, values, callback);
    return new Promise((resolve, reject) => {
      super.query(config, values, (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result)));
    }).catch((error: Error) => {
      // The stack of whoever asked, in place of that of the socket.
      Error.captureStackTrace(error);
      throw error;
    });
  }
}

/** What pg knows of a connection and does not type. */
interface Waiting {
  _getActiveQuery(): object | null;
  readonly connection: { readonly stream: { destroy(error: Error): void } };
}

/** So often a connection is looked at while it may wait. */
const looks = 4;

/**
 * A connection that is cut when Postgres owes it an answer for `query_timeout` milliseconds. It is looked at now and then;
 * pg itself starts a timer for each query, and what those hold of the query and its answer becomes old before it goes.
 */
class PatientClient extends LightClient {
  constructor({ query_timeout: patienceMs = 15_000, ...config }: pg.ClientConfig & { query_timeout?: number } = {}) {
    super(config);
    const self = this as unknown as Waiting;
    let seen: object | null = null;
    let times = 0;
    const timer = setInterval(() => {
      const active = self._getActiveQuery();
      times = active !== null && active === seen ? times + 1 : 0;
      seen = active;
      if (times >= looks) self.connection.stream.destroy(new Error('Query read timeout'));
    }, patienceMs / looks).unref();
    this.once('end', () => clearInterval(timer));
  }
}

/** What the sessions of such reads are called in Postgres, where rebuilds look for them. */
export const readsName = 'tarl reads';

/** Options of a pool for reads that a caller waits for. A Postgres that hangs reads as one that cannot be reached, so nobody waits for ever. */
export const patient = (patienceMs = 15_000): pg.PoolConfig => ({ connectionTimeoutMillis: patienceMs, query_timeout: patienceMs, Client: PatientClient, application_name: readsName });
