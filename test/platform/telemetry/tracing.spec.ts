import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { traceparentOf } from '../../../src/api/context.js';
import { noTracing, startTracing } from '../../../src/platform/telemetry/tracing.js';

test('spans of a request reach the collector as one trace, under the trace that the caller began', async () => {
  const received: Buffer[] = [];
  const collector = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => received.push(chunk)).on('end', () => response.end());
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const traceId = '0af7651916cd43dd8448eb211c80319c';

  const tracing = await startTracing('otlp', `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
  const inner = await tracing.inSpan('grpc CreateProject', `00-${traceId}-b7ad6b7169203331-01`, () => tracing.inSpan('append project-flights', undefined, async (traceparent) => traceparent));
  await expect(tracing.inSpan('fails', undefined, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await tracing.close();
  await new Promise((resolve) => collector.close(resolve));

  expect(inner.slice(3, 35)).toBe(traceId);
  const sent = Buffer.concat(received).toString('latin1');
  for (const name of ['grpc CreateProject', 'append project-flights', 'fails']) expect(sent).toContain(name);
  expect(sent).toContain(Buffer.from(traceId, 'hex').toString('latin1'));
});

test('a request without a trace, or with a broken one, begins one that is recorded', () => {
  for (const given of [undefined, '', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) expect(traceparentOf(() => given)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  const unrecorded = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
  expect(traceparentOf(() => unrecorded)).toBe(unrecorded);
});

test('without an exporter there are no spans, and the caller’s trace is passed on', async () => {
  expect(await startTracing('none')).toBe(noTracing);
  expect(await noTracing.inSpan('any', '00-a-b-01', async (traceparent) => traceparent)).toBe('00-a-b-01');
});
