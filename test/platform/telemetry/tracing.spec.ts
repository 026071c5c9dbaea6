import { expect, test } from '@jest/globals';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { givenTraceparent, traceparentOf } from '../../../src/api/context.js';
import { newSpanId, newTraceId } from '../../../src/platform/telemetry/chosen-ids.js';
import { inBatchSpan } from '../../../src/platform/telemetry/batch.js';
import { isRecorded } from '../../../src/platform/telemetry/traceparent.js';
import { noTracing, startTracing } from '../../../src/platform/telemetry/tracing.js';
import type { StoredEvent } from '../../../src/platform/eventstore/port.js';
import { tracedView } from '../../../src/projections/kit/traced-view.js';
import type { View, ViewTransaction } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const recorded = `00-${traceId}-b7ad6b7169203331-01`;

test('spans reach the collector as one trace, under the trace that the caller began; what nobody records costs no span', async () => {
  const received: Buffer[] = [];
  const collector = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => received.push(chunk)).on('end', () => response.end());
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));

  const tracing = await startTracing({ exporter: 'otlp', endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`, sample: 0 });
  const same = async (traceparent: string) => traceparent;
  const inner = await tracing.inSpan('grpc CreateProject', recorded, (outer) => tracing.inSpan('append project-flights', outer, same));
  await expect(tracing.inSpan('fails', recorded, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const unrecorded = recorded.replace(/01$/, '00');
  expect(await tracing.inSpan('unseen', unrecorded, same)).toBe(unrecorded);
  expect(tracing.samples()).toBe(false);
  expect(await tracing.inTrace('unsampled', async (traceparent) => traceparent)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  // The share was decided where the id was given: by whoever took the request.
  expect(await tracing.inTrace('begun as recorded', async (traceparent) => traceparent, { traceId })).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  const two = [recorded, recorded.replace('0af', '0bf'), unrecorded];
  const ofBoth = await inBatchSpan(tracing, 'of several', two, async (traceparent) => traceparent);
  expect(await inBatchSpan(tracing, 'of none', [unrecorded], async (traceparent) => traceparent)).toBeUndefined();
  await tracing.close();
  await new Promise((resolve) => collector.close(resolve));

  expect(inner.slice(3, 35)).toBe(traceId);
  expect(isRecorded(ofBoth!) && !two.some((cause) => cause.slice(3, 35) === ofBoth!.slice(3, 35))).toBe(true);
  const sent = Buffer.concat(received).toString('latin1');
  for (const name of ['grpc CreateProject', 'append project-flights', 'fails', 'of several', 'begun as recorded']) expect(sent).toContain(name);
  for (const name of ['unseen', 'unsampled', 'of none']) expect(sent).not.toContain(name);
  expect(sent).toContain(Buffer.from(traceId, 'hex').toString('latin1'));
});

test('many spans that end at once all arrive, with their own times, parents and errors', async () => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk)).on('end', () => (bodies.push(body), response.end('{}')));
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'http/json';
  const tracing = await startTracing({ exporter: 'otlp', endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}` });
  delete process.env.OTEL_EXPORTER_OTLP_PROTOCOL;
  const before = Date.now();
  const made = await Promise.all(
    Array.from({ length: 300 }, (_, n) => tracing.inTrace(`request ${n}`, async (own) => [own, await tracing.inSpan(`append ${n}`, own!, async (inner) => inner)] as const)),
  );
  await expect(tracing.inTrace('refused', () => Promise.reject(new TypeError('no')))).rejects.toThrow('no');
  await tracing.close();
  await new Promise((resolve) => collector.close(resolve));

  const spans = bodies.flatMap((body) => JSON.parse(body).resourceSpans).flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans);
  const found = new Map<string, any>(spans.map((span) => [span.name, span]));
  expect(spans).toHaveLength(601);
  for (const [n, [own, inner]] of made.entries()) {
    const [request, append] = [found.get(`request ${n}`), found.get(`append ${n}`)];
    expect([`00-${request.traceId}-${request.spanId}-01`, `00-${append.traceId}-${append.spanId}-01`, append.parentSpanId]).toEqual([own, inner, request.spanId]);
    const [start, end] = [request.startTimeUnixNano, request.endTimeUnixNano].map((time) => Number(BigInt(time) / 1000n) / 1000);
    expect(start).toBeGreaterThanOrEqual(before);
    expect(end).toBeGreaterThanOrEqual(start!);
    expect(end).toBeLessThanOrEqual(Date.now() + 1);
  }
  expect(found.get('refused').status).toEqual({ code: 2, message: 'TypeError' });
});

test.each([
  ['refuses them', (response: ServerResponse) => response.writeHead(500).end('no')],
  ['never answers', () => undefined],
  ['never ends its answer', (response: ServerResponse) => response.writeHead(200).write('a')],
])('a collector that %s holds up neither work nor the end, and is told of once', async (_, answer) => {
  let asked = 0;
  const collector = createServer((request, response) => (asked++, request.resume(), answer(response))).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  // The SDK's timers for what it has given up would hold this process, where no command ends it, for half a minute.
  const patience = ['OTEL_BSP_EXPORT_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'];
  for (const variable of patience) process.env[variable] = '2500';
  const failures: unknown[] = [];
  const tracing = await startTracing({ exporter: 'otlp', endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`, onFailure: (error) => failures.push(error) });
  // Three times as many as are sent at once, and more than wait.
  for (let span = 0; span < 3_000; span++) await tracing.inSpan('work', recorded, async () => undefined);
  await until('the collector is asked', () => asked > 0);
  await tracing.close();
  for (const variable of patience) delete process.env[variable];
  expect(failures).toHaveLength(1);
  collector.closeAllConnections();
  collector.close();
});

test('what is gathered is sent within the time that OpenTelemetry’s variable sets, however little it is', async () => {
  let asked = 0;
  const collector = createServer((request, response) => (asked++, request.resume(), response.end())).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  process.env.OTEL_BSP_SCHEDULE_DELAY = '50';
  const tracing = await startTracing({ exporter: 'otlp', endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}` });
  await tracing.inSpan('work', recorded, async () => undefined);
  await until('the one span is there', () => asked === 1);
  delete process.env.OTEL_BSP_SCHEDULE_DELAY;
  await tracing.close();
  collector.close();
});

test('no two ids are alike, and each is written in full', () => {
  const [spans, traces] = [newSpanId, newTraceId].map((make) => Array.from({ length: 2_000 }, make));
  expect(new Set(spans).size + new Set(traces).size).toBe(4_000);
  for (const id of spans!) expect(id).toMatch(/^[0-9a-f]{16}$/);
  for (const id of traces!) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test('the lowest bit of the flags says whether a trace is recorded, and what is no flag says that it is not', () => {
  for (let flags = 0; flags < 256; flags++) expect(isRecorded(recorded.replace(/01$/, flags.toString(16).padStart(2, '0')))).toBe(flags % 2 === 1);
  for (const broken of ['', 'nonsense', '00-1-1-0g', `${recorded}é`]) expect(isRecorded(broken)).toBe(false);
});

test('what is no traceparent, or only as long as one, begins no span and is linked to none', async () => {
  const tracing = await startTracing({ exporter: 'console' });
  for (const broken of ['1', 'x'.repeat(54) + '1', recorded.replaceAll('-', 'd')]) {
    expect(await tracing.inSpan('any', broken, async (traceparent) => traceparent)).toBe(broken);
    expect(await tracing.asSpan('any', broken, async () => 'done')).toBe('done');
  }
  await tracing.close();
});

test('OpenTelemetry follows no asynchronous work: whoever has a parent passes it on', async () => {
  const tracing = await startTracing({ exporter: 'console' });
  const key = createContextKey('any');
  expect(context.with(ROOT_CONTEXT.setValue(key, 1), () => context.active().getValue(key))).toBeUndefined();
  await tracing.close();
});

test('a request without a trace, or with a broken one, begins one that is recorded', () => {
  for (const given of [undefined, '', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
    expect(givenTraceparent(() => given)).toBeUndefined();
    expect(traceparentOf(() => given)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  }
  const unrecorded = `00-${traceId}-b7ad6b7169203331-00`;
  expect(traceparentOf(() => unrecorded)).toBe(unrecorded);
});

test('what is passed on of a caller’s traceparent is what this version of the recommendation knows', () => {
  const ids = recorded.slice(3, 52);
  const passedOn = (given: string) => givenTraceparent(() => given);
  expect(passedOn(`00-${ids}-03`)).toBe(`00-${ids}-03`);
  expect(passedOn(`00-${ids}-ff`)).toBe(`00-${ids}-03`);
  expect(passedOn(`00-${ids}-fc`)).toBe(`00-${ids}-00`);
  // Of a version to come nothing is known but where the ids and the lowest flag stand.
  expect(passedOn(`cc-${ids}-03`)).toBe(`00-${ids}-01`);
  expect(passedOn(`01-${ids}-fe-more-01`)).toBe(`00-${ids}-00`);
  for (const broken of [`ff-${ids}-01`, `00-${ids}-01-more`, `01-${ids}-01more`, ` 00-${ids}-01`, `00-${ids}-01\n`]) expect(passedOn(broken)).toBeUndefined();
});

test('without an exporter there are no spans, and the caller’s trace is passed on', async () => {
  expect(await startTracing({ exporter: 'none' })).toBe(noTracing);
  expect(await noTracing.inSpan('any', '00-a-b-01', async (traceparent) => traceparent)).toBe('00-a-b-01');
});

test('the batch of a view has a span where a recorded command led to it, but not in a view that takes the events of any command', async () => {
  const spans: string[] = [];
  const tracing = { ...noTracing, enabled: true, inSpan: (name: string, parent: string, work: (traceparent: string) => Promise<any>) => (spans.push(name), work(parent)) };
  const project = async (name: string, eventTypes: View['eventTypes'], traceparent: string) => {
    const events = [{ metadata: { traceparent } }] as unknown as StoredEvent[];
    await tracedView({ name, eventTypes, project: async () => {} } as Partial<View> as View, tracing).project(events, {} as ViewTransaction);
  };
  await project('projects', ['ProjectCreated'], recorded);
  await project('projects', ['ProjectCreated'], recorded.replace(/01$/, '00'));
  await project('log-times', 'all', recorded);
  expect(spans).toEqual(['project projects']);
});
