import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testApi, type TestApi } from './support/clients.js';

let served: TestApi;
beforeAll(async () => {
  served = await testApi();
});
afterAll(() => served.close());

/** The signal of the next query that waits for its position. */
function nextSignal(): Promise<AbortSignal> {
  const { awaitPosition } = served.core;
  return new Promise((resolve) => {
    (served.core as any).awaitPosition = (views: string[], context: { signal: AbortSignal }) => {
      (served.core as any).awaitPosition = awaitPosition;
      resolve(context.signal);
      return new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)));
    };
  });
}

const aborted = (signal: AbortSignal) => new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve((signal.reason as { code: string }).code)));

test.each(['rest', 'graphql'])('over %s the work ends when the client goes', async (wire) => {
  const { rest, graphql } = served.api.addresses;
  const leaving = new AbortController();
  const signal = nextSignal();
  const request = {
    rest: [`${rest}/api/v1/projects`, {}],
    graphql: [graphql, { method: 'POST', body: JSON.stringify({ query: '{ projects { nodes { project } } }' }) }],
  }[wire]! as [string, object];
  const answer = fetch(request[0], { ...request[1], headers: { authorization: 'Bearer owner-key', 'content-type': 'application/json', 'tarl-min-position': '5' }, signal: leaving.signal });
  const gone = aborted(await signal);
  leaving.abort();
  await expect(answer).rejects.toThrow('aborted');
  expect(await gone).toBe('CANCELLED');
});

test('over grpc the work ends when the client cancels', async () => {
  const signal = nextSignal();
  let cancel = () => undefined as void;
  const answer = served.grpc('ListProjects', {}, { 'tarl-min-position': '5' }, {}, (call) => (cancel = () => call.cancel()));
  const gone = aborted(await signal);
  cancel();
  expect((await answer).code).toBe('CANCELLED');
  expect(await gone).toBe('CANCELLED');
});

test('over grpc the work ends when the time is up', async () => {
  const signal = nextSignal();
  const answer = served.grpc('ListProjects', {}, { 'tarl-min-position': '5' }, { deadline: Date.now() + 5_000 });
  expect(await aborted(await signal)).toBe('CANCELLED');
  expect((await answer).code).toBe('DEADLINE_EXCEEDED');
});

test('over grpc work that begins after the client has cancelled ends at once', async () => {
  const { awaitPosition } = served.core;
  const gone = new Promise<string>((resolve) => {
    (served.core as any).awaitPosition = async (_views: string[], context: { signal: AbortSignal }) => {
      (served.core as any).awaitPosition = awaitPosition;
      await cancelled.promise;
      resolve(context.signal.aborted ? 'ended' : 'goes on');
    };
  });
  const cancelled = Promise.withResolvers<void>();
  const { authenticate } = served.core;
  let cancel = () => undefined as void;
  (served.core as any).authenticate = async (key: string) => {
    (served.core as any).authenticate = authenticate;
    cancel();
    return authenticate(key);
  };
  const answer = served.grpc('ListProjects', {}, {}, {}, (call) => (cancel = () => call.cancel()));
  expect((await answer).code).toBe('CANCELLED');
  // The server hears of it a moment later; a request over the same connection comes after it.
  await served.grpc('GetProject', { project: 'any' });
  cancelled.resolve();
  expect(await gone).toBe('ended');
});
