import { randomUUID } from 'node:crypto';
import { projectCommands } from '../src/commands/projects.js';
import { Aggregates } from '../src/commands/kit/aggregates.js';
import type { AnyCommand, Caller } from '../src/commands/kit/command.js';
import { CommandExecutor } from '../src/commands/kit/execute.js';
import { RememberingCommandLog } from '../src/commands/kit/idempotency.js';
import { connect } from '../src/platform/eventstore/index.js';
import { startNode } from './eventstore/servers.js';
import { inTurns, percentile, type BenchOptions, type Row } from './kit.js';
import { callUnary, grpcClient } from './support/grpc-client.js';
import { startPlatform } from './support/platform.js';
import { recordedCost, tracingOnAndOff } from './tracing.js';

const [createProject, describeProject] = projectCommands as unknown as readonly AnyCommand[];
const owner: Caller = { actor: 'key:bench', may: () => true };
const inFlight = 64;

/** A command against its limit, the bare append of one event by the same port to the same durable node. */
export async function commandsBench(options: BenchOptions): Promise<Row[]> {
  const { scale } = options;
  return [await manyAtOnce(Math.ceil(20_000 * scale)), await oneAtATime(Math.ceil(2_000 * scale)), await recordedCost(options), await tracingOnAndOff(options)];
}

async function manyAtOnce(count: number): Promise<Row> {
  const node = await startNode();
  const store = connect(node.url);
  const executor = new CommandExecutor(store, new Aggregates(store), new RememberingCommandLog({ find: async () => undefined }));
  const projects = Array.from({ length: 1_000 }, (_, n) => `p${n}`);
  for (const project of projects) await executor.execute(createProject!, { project }, { caller: owner });
  const command = (n: number) => executor.execute(describeProject!, { project: projects[n % projects.length], description: randomUUID() }, { caller: owner });
  const bare = (n: number) => store.append(`bare-${n % projects.length}`, [{ id: randomUUID(), type: 'Bare', data: { n, text: randomUUID() }, metadata: { commandId: randomUUID(), actor: 'key:bench' } }], { expected: 'any' });
  const { measured, limit, ratio } = await inTurns(5, () => perSecond(count / 5, command), () => perSecond(count / 5, bare));
  await store.close();
  await node.stop();
  return { what: `commands, ${inFlight} at once`, measured, unit: '/s', limit: { what: '/s bare appends', measured: limit }, ratio, target: '0.5 of bare appends', reached: ratio >= 0.5 };
}

/** Over gRPC, as a client sees it: the whole way through the wire, the guard, the bus and the log. */
async function oneAtATime(count: number): Promise<Row> {
  const platform = await startPlatform();
  const client = grpcClient('tarl/projects/v1/projects.proto', 'tarl.projects.v1.Projects', platform);
  const took: number[] = [];
  for (let n = 0; n < count; n++) {
    const started = performance.now();
    await callUnary(client, 'CreateProject', { project: `p${n}` });
    took.push(performance.now() - started);
  }
  client.close();
  await platform.stop();
  const p50 = percentile(took, 0.5);
  return { what: 'one command at a time over gRPC, p50', measured: p50, unit: 'ms', target: '3 ms', reached: p50 <= 3 };
}

async function perSecond(count: number, one: (n: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const worker = async () => {
    while (next < count) await one(next++);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (count / (performance.now() - started)) * 1000;
}
