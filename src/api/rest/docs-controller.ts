import { Controller, Get, Inject, NotFoundException, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { version } from '../../platform/version.js';
import { handwritten } from '../handwritten.js';
import { OPERATIONS, type Operation } from '../operations.js';
import { openApiOf } from './openapi.js';

const contentTypes: Readonly<Record<string, string>> = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript', 'favicon-32x32.png': 'image/png' };

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>TARL OS</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png" />
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null });\n`;

/** The API's description and a page to read it on; everything comes from here, nothing from another site. */
@Controller()
export class DocsController {
  private document?: object;

  constructor(@Inject(OPERATIONS) private readonly operations: readonly Operation[]) {}

  @Get('openapi.json')
  openApi(): object {
    return (this.document ??= openApiDocument(this.operations));
  }

  @Get('docs')
  page(@Res({ passthrough: true }) reply: FastifyReply): string {
    reply.type('text/html; charset=utf-8').header('content-security-policy', "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:");
    return page;
  }

  @Get('docs/:file')
  async file(@Param('file') file: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<string | Buffer> {
    if (file === 'start.js') return reply.type('text/javascript'), start;
    const contentType = contentTypes[file];
    if (contentType === undefined) throw new NotFoundException();
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    reply.type(contentType).header('cache-control', 'private, max-age=86400');
    return readFile(join(folder, file));
  }
}

/** The OpenAPI document of what is served, hand-written paths included. */
export function openApiDocument(operations: readonly Operation[]): object {
  const domains = new Set(operations.map(({ domain }) => domain.name));
  return openApiOf(operations, version, handwritten.flatMap(({ domain, openApiPaths }) => (openApiPaths && domains.has(domain) ? [openApiPaths] : [])));
}
