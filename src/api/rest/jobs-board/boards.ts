import type { Queue } from 'bullmq';
import fastify, { type FastifyInstance } from 'fastify';
import type { JobOperations } from '../../core.js';

/** The dashboard by bull-board, as servers of their own that take over requests: one that only shows, one with buttons. Made when first asked for, since BullMQ takes long to read. */
export class Boards {
  private made: { readonly queue: Queue | undefined; readonly board: Promise<FastifyInstance> }[] = [];

  constructor(private readonly jobs: JobOperations) {}

  /** The board for somebody who may operate, or may not. Queues that were opened anew get a board anew. */
  async for(mayOperate: boolean): Promise<FastifyInstance> {
    const queues = await this.jobs.openQueues();
    const place = mayOperate ? 1 : 0;
    if (this.made[place]?.queue !== queues[0]) void this.made[place]?.board.then((board) => board.close());
    if (!this.made[place] || this.made[place].queue !== queues[0]) this.made[place] = { queue: queues[0], board: makeBoard(queues, !mayOperate) };
    return this.made[place].board;
  }

  async close(): Promise<void> {
    await Promise.all(this.made.map(async ({ board }) => (await board).close()));
  }
}

async function makeBoard(queues: readonly Queue[], readOnlyMode: boolean): Promise<FastifyInstance> {
  const [{ createBullBoard }, { BullMQAdapter }, { FastifyAdapter }] = await Promise.all([import('@bull-board/api'), import('@bull-board/api/bullMQAdapter'), import('@bull-board/fastify')]);
  const serverAdapter = new FastifyAdapter().setBasePath('/jobs');
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode })),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Jobs of TARL OS', hideRedisDetails: true, hideDocsLink: true, miscLinks: [{ text: 'Sign out', url: '/jobs/sign-out' }] } },
  });
  const board = fastify({ logger: false });
  await board.register(serverAdapter.registerPlugin() as never, { prefix: '/jobs' });
  await board.ready();
  return board;
}
