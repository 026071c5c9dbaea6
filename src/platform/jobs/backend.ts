import { createPostgresBackend, Queue, runMigrations, Worker, type Processor, type QueueOptions, type WorkerOptions } from 'bullmq';
import { makePool } from '../postgres/pool.js';

/** Where the queues are kept: in a schema of TARL's own Postgres, or in a Redis. */
export interface JobBackend {
  readonly kind: 'postgres' | 'redis';
  /** Makes the queues' tables where there are none; what is there stays. */
  prepare(): Promise<void>;
  queue(name: string, options: Partial<QueueOptions>): Queue;
  worker(name: string, run: Processor, options: Partial<WorkerOptions>): Worker;
  /** Ends the connections; queues and workers must be closed before. */
  close(): Promise<void>;
}

export interface JobBackendOptions {
  readonly postgresUrl: string;
  readonly redisUrl?: string;
  /** How many statements run at once on Postgres. */
  readonly connections?: number;
  /** Hears of idle connections that broke; they are made again when needed. */
  readonly onError: (error: unknown) => void;
}

/** BullMQ's own name, the only one that it takes where the pool is given to it. */
const schema = 'bullmq';
/** In front of every key in Redis, which others may use too. */
const prefix = 'tarl';

/** Opens the Redis where one is given, else Postgres. */
export async function openJobBackend(options: JobBackendOptions): Promise<JobBackend> {
  return options.redisUrl === undefined ? onPostgres(options) : onRedis(options.redisUrl, options);
}

function onPostgres({ postgresUrl, connections = 3, onError }: JobBackendOptions): JobBackend {
  // A crash of Postgres may undo the last moments of a queue: a job runs once more, or is put there again from the log.
  // So no job waits for the disk.
  // Everything shares one pool. Each worker keeps one of its connections to be woken by, which come on top.
  const pool = makePool(postgresUrl, { max: connections, types: undefined, keepAlive: true, application_name: 'tarl jobs', options: `-c search_path=${schema} -c synchronous_commit=off` }, (message) => onError(new Error(message)));
  pool.setMaxListeners(0);
  return {
    kind: 'postgres',
    async prepare() {
      const client = await pool.connect();
      try {
        await runMigrations(client, schema);
      } finally {
        client.release();
      }
    },
    queue: (name, rest) => new Queue(name, { ...rest, connection: pool } as never, createPostgresBackend as never),
    worker: (name, run, rest) => {
      pool.options.max++;
      return new Worker(name, run, { ...rest, connection: pool } as never, createPostgresBackend as never);
    },
    close: () => pool.end(),
  };
}

async function onRedis(redisUrl: string, { onError }: JobBackendOptions): Promise<JobBackend> {
  const { Redis } = await import('ioredis');
  // Whoever adds a job hears that Redis is away instead of waiting; a worker waits for it to come back.
  const adding = new Redis(redisUrl, { maxRetriesPerRequest: 1, lazyConnect: true });
  const working = new Redis(redisUrl, { maxRetriesPerRequest: null, lazyConnect: true });
  adding.on('error', onError);
  working.on('error', onError);
  return {
    kind: 'redis',
    async prepare() {},
    queue: (name, rest) => new Queue(name, { ...rest, prefix, connection: adding }),
    worker: (name, run, rest) => new Worker(name, run, { ...rest, prefix, connection: working }),
    async close() {
      adding.disconnect();
      working.disconnect();
    },
  };
}
