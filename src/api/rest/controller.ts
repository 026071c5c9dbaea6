import { Controller, Delete, Get, HttpCode, Patch, Post, Put, Req, Res, type Type } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CommandReply } from '../../commands/kit/command.js';
import { adapterClass, addMethod } from '../decorate.js';
import { Dispatcher } from '../dispatcher.js';
import type { Operation } from '../operations.js';
import { inputReader } from './input.js';
import { routerPath } from './paths.js';
import { restContext } from './request.js';

const verbs = { GET: Get, POST: Post, PUT: Put, PATCH: Patch, DELETE: Delete };

/** The REST routes of a domain, derived from its commands and queries. */
export function restController(domain: string, operations: readonly Operation[]): Type {
  const RestController = adapterClass<[Dispatcher]>(`${domain}RestController`, Controller(), [Dispatcher]);
  for (const operation of operations) {
    const { http, camelName } = operation;
    const readInput = inputReader(operation);
    addMethod(
      RestController,
      camelName,
      async function (request: FastifyRequest, reply: FastifyReply) {
        const [dispatcher] = this.dependencies as [Dispatcher];
        const answer = await dispatcher.run('rest', operation, () => readInput(request), restContext(request));
        setVersionHeaders(reply, answer as Partial<CommandReply>);
        return answer;
      },
      [verbs[http.method](routerPath(http.path)), HttpCode(200)],
      [Req(), Res({ passthrough: true })],
    );
  }
  return RestController;
}

/** The position and the etag of an answer also stand in its headers, where a client finds them without knowing the answer. */
function setVersionHeaders(reply: FastifyReply, answer: Partial<CommandReply>): void {
  if (typeof answer.position === 'string') reply.header('tarl-position', answer.position);
  if (typeof answer.etag === 'string') reply.header('etag', `"${answer.etag}"`);
}
