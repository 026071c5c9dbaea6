import { z } from 'zod';
import { cron } from '../../domain/kit/schedule.js';

/** Every kind of value says what it takes in words that end the sentence "it takes …". */
const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};
const port = whole(0, 65_535);
const share = z.coerce.number({ error: 'a number from 0 to 1' }).min(0, { error: 'a number from 0 to 1' }).max(1, { error: 'a number from 0 to 1' });
const cronLine = z.string().refine((line) => cron.safeParse(line).success, { error: 'a cron line of five fields, such as 0 * * * *' });
const oneOf = <const T extends readonly string[]>(...values: T) => z.enum(values, { error: `one of ${values.join(', ')}` });
/** What a process of TARL can do; one process may do all of it. */
export const roles = ['api', 'projector', 'worker'] as const;
export type Role = (typeof roles)[number];
const someRoles = (() => {
  const error = `one or more of ${roles.join(', ')}, separated by commas`;
  const list = z.string().transform((text) => [...new Set(text.split(',').map((role) => role.trim()))]);
  return list.pipe(z.array(z.enum(roles, { error }), { error }));
})();
const address = (...schemes: string[]) => {
  const beginnings = schemes.map((scheme) => `${scheme}://`);
  const error = `an address that begins with ${beginnings.join(' or ')}`;
  return z.string().refine((text) => beginnings.some((beginning) => text.startsWith(beginning)), { error });
};

/**
 * Every setting of TARL. A key stands for the environment variable of the same words: `httpPort` is `TARL_HTTP_PORT`.
 * The descriptions are the README's table.
 */
export const settings = z.object({
  dataDir: z.string().default('.tarl').describe('Folder for everything TARL keeps: log, read models, keys.'),
  roles: someRoles.prefault(roles.join(',')).describe('What this process does, by commas: `api` answers, `projector` keeps read models, `worker` runs jobs and reactions.'),
  host: z.string().default('127.0.0.1').describe('Address the API listens on; `0.0.0.0` for every network.'),
  httpPort: port.default(8080).describe('Port of the REST API, health and metrics; 0 takes a free one, here and below.'),
  grpcPort: port.default(50_051).describe('Port of the gRPC API.'),
  graphqlPort: port.default(4000).describe('Port of the GraphQL API.'),
  eventstoreUrl: address('esdb', 'esdb+discover').optional()
    .describe('An EventStoreDB or KurrentDB of your own, instead of the embedded event store.'),
  eventstorePort: port.default(2113).describe('Port of the embedded event store, on this machine only.'),
  postgresUrl: address('postgres', 'postgresql').optional().describe('A Postgres 18 of your own, instead of the embedded one.'),
  postgresPort: port.default(5433).describe('Port of the embedded Postgres, on this machine only.'),
  redisUrl: address('redis', 'rediss').optional().describe('A Redis for background jobs, which otherwise wait in Postgres.'),
  logLevel: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info')
    .describe('The least important log line that is written.'),
  trainingSetsDir: z.string().optional().describe('Folder for the rows of saved training sets, which all processes must share; by default one in the data folder.'),
  otelExporter: oneOf('none', 'otlp', 'zipkin', 'console').default('none').describe('Where OpenTelemetry traces go.'),
  otelEndpoint: address('http', 'https').optional()
    .describe('The collector that takes traces; by default `http://127.0.0.1:4318` for OTLP, `http://127.0.0.1:9411/api/v2/spans` for Zipkin.'),
  otelSample: share.default(1).describe('The share of traces begun here that are recorded, 0 to 1; one that a caller began is recorded as the caller says.'),
  minPositionWaitMs: whole(0, 3_600_000).default(5000).describe('How long a query waits for the position it asked for, in milliseconds.'),
  maxMessageBytes: whole(65_536, 1_073_741_824).default(16_777_216).describe('The largest request and answer of the API, in bytes.'),
  readyLagMs: whole(1, 3_600_000).default(10_000).describe('How far behind a read model may be, in milliseconds, before `/health/ready` says no.'),
  rebuildSharePercent: whole(1, 100).default(5).describe('While queries come, a rebuild works for this share of the time, in percent, and rests for the others.'),
  rebuildMemoryBytes: whole(1_048_576, 68_719_476_736).default(805_306_368).describe('How much of a rebuild is held in memory, in bytes; the rest of the log goes through the tables.'),
  historyCacheMib: whole(0, 1_048_576).default(512).describe('How much of the history of feature groups stays in memory once it has been read, in MiB: some 22 bytes a row of two numbers.'),
  formerTablesHours: whole(0, 8760).default(24).describe('How long the tables that a rebuild has replaced are kept for a rollback, in hours.'),
  operationsDays: whole(1, 36_500).default(30).describe('How long rebuilds, comparisons and rollbacks that have ended are still listed, in days.'),
  importSpoolBytes: whole(1_048_576, 1_099_511_627_776).default(4_294_967_296).describe('The largest Parquet or Arrow file of an import over REST, in bytes; it is put on the disk while it is read.'),
  feastProject: z.string().optional().describe("The project that clients of Feast's feature server read and write, where their requests name none."),
  metricsCron: cronLine.default('0 * * * *').describe('When it is put on record how far behind read models and queues are: a cron line of five fields, in UTC.'),
  quarantineDays: whole(1, 3650).default(30).describe('How long refused rows are kept for mending, in days.'),
  quarantineMib: whole(1, 1_048_576).default(256).describe('How much refused rows of one project may take, in MiB.'),
  apiKey: z.string().optional().describe('Command line: the API key. Before the profile and before the key of the local run.'),
  profile: z.string().default('default').describe('Command line: which profile of `~/.config/tarl/config.json` to use.'),
  testEventstoreUrl: address('esdb', 'esdb+discover').optional()
    .describe('Tests: run the contract of the event store against this server too.'),
  largeImportMib: whole(0, 102_400).default(0).describe('Tests: how large a file the test of a killed import makes, in MiB; 0 for a small one.'),
  crashRuns: whole(1, 1_000_000).default(20).describe('Tests: how many times the crash suites kill a process at a random moment, and how many runs of chaos there are, 30 when it is not set.'),
});

/** The settings as the rest of TARL sees them: read once at the start, passed down. */
export type Config = z.output<typeof settings>;

/** The environment variable of a setting: `httpPort` is `TARL_HTTP_PORT`. */
export function variableOf(name: string): string {
  return `TARL_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
