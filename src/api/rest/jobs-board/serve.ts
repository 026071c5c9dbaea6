import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../../commands/kit/command.js';
import { requirePermission } from '../../../commands/kit/execute.js';
import { Refusal } from '../../../domain/kit/index.js';
import { apiKeyOf } from '../../auth.js';
import { traceIdOf } from '../../context.js';
import type { Core } from '../../core.js';
import { refusalOf } from '../../errors.js';
import type { Observer } from '../../observer.js';
import { nobody, rememberVisitor, Visitor } from '../../visitors.js';
import { sendProblem } from '../problem.js';
import { headersOf } from '../request.js';
import { Boards } from './boards.js';
import { Sessions } from './sessions.js';
import { signInPage } from './sign-in-page.js';

const home = '/jobs';
const longestForm_bytes = 1_024;
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'self'";

/** What operators may do to a queue itself. Whatever would make it another than the log says is no button's business. */
const harmless = /^\/jobs\/api\/queues\/(?:[^/]+\/(?:pause|resume)|[^/]+\/[^/]+\/promote)$/;
const retryOne = /^\/jobs\/api\/queues\/[^/]+\/([^/]+)\/retry$/;
const retryAll = /^\/jobs\/api\/queues\/([^/]+)\/retry\/failed$/;

/** Serves the dashboard of the queues under `/jobs`, behind a key: in a browser by a session, elsewhere by the usual header. */
export function serveJobsBoard(fastify: FastifyInstance, core: Pick<Core, 'authenticate' | 'jobs'>, observer: Observer): { close(): Promise<void> } {
  const sessions = new Sessions();
  const boards = new Boards(core.jobs);

  fastify.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    if (path !== home && !path.startsWith(`${home}/`)) return;
    reply.headers({ 'content-security-policy': policy, 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    const visitor = new Visitor(headersOf(request), nobody);
    rememberVisitor(request, visitor);
    try {
      await answer(path, request, reply);
    } catch (error) {
      observer.failed('rest', 'JobsBoard', error, visitor.traceparent);
      const refusal = refusalOf(error);
      // Whoever opens the page is asked for a key; scripts and programs are told in their own way.
      if (refusal && request.headers.accept?.includes('text/html')) page(reply, refusal.code === 'UNAUTHENTICATED' ? 401 : 403, signInPage(refusal.details.reason === 'MISSING_API_KEY' ? undefined : refusal.message));
      else sendProblem(reply, error, traceIdOf(visitor.traceparent));
    }
    return reply;
  });
  return { close: () => boards.close() };

  async function answer(path: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { cookie } = request.headers;
    const isSecure = request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https';
    if (path === `${home}/sign-out`) return page(reply.header('set-cookie', sessions.end(cookie, isSecure)), 200, signInPage());
    if (path === `${home}/sign-in` && request.method === 'POST') {
      const key = new URLSearchParams(await bodyOf(request)).get('key') ?? '';
      requireRead(await core.authenticate(key));
      return void reply.status(303).headers({ 'set-cookie': sessions.begin(key, isSecure), location: home }).send();
    }
    const caller = await core.authenticate(sessions.keyOf(cookie) ?? apiKeyOf(headersOf(request)));
    requireRead(caller);
    if (request.method !== 'GET' && request.method !== 'HEAD' && (await operate(path, caller, reply))) return;
    const board = await boards.for(caller.may('jobs.write'));
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value as string);
    reply.hijack();
    board.routing(request.raw, reply.raw);
  }

  /** True when the button's work is done; false when the board is to do it. A job is tried again by the command, in the caller's name. */
  async function operate(path: string, caller: Caller, reply: FastifyReply): Promise<boolean> {
    requirePermission({ permission: 'jobs.write' }, undefined, { caller });
    const [, one] = retryOne.exec(path) ?? [];
    const [, queue] = retryAll.exec(path) ?? [];
    if (one !== undefined) {
      await core.jobs.retry(decodeURIComponent(one), { caller });
      reply.status(204).send();
    } else if (queue !== undefined) {
      const failed = (await (await core.jobs.openQueues()).find(({ name }) => name === decodeURIComponent(queue))?.getFailed()) ?? [];
      for (const { id } of failed) await core.jobs.retry(id!, { caller });
      reply.send({ retried: failed.length, skipped: 0 });
    } else if (!harmless.test(path)) {
      throw new Refusal('PERMISSION_DENIED', 'The queues are made from the log, so the dashboard changes no job: it tries again, promotes, pauses and resumes', { reason: 'NOT_FROM_THE_DASHBOARD' });
    }
    return reply.sent;
  }
}

const requireRead = (caller: Caller): void => requirePermission({ permission: 'jobs.read' }, undefined, { caller });

function page(reply: FastifyReply, status: number, html: string): void {
  reply.status(status).type('text/html; charset=utf-8').send(html);
}

async function bodyOf(request: FastifyRequest): Promise<string> {
  let text = '';
  for await (const piece of request.raw) {
    text += String(piece);
    if (text.length > longestForm_bytes) throw new Refusal('INVALID_ARGUMENT', 'The form is too long', { reason: 'BODY_TOO_LARGE' });
  }
  return text;
}
