import { expect, test } from '@jest/globals';
import { readConfig } from '../../../src/platform/config/index.js';

test('without any setting TARL runs everything embedded, on its usual ports and for this machine only', () => {
  expect(readConfig({ PATH: '/bin' })).toMatchObject({
    dataDir: '.tarl', host: '127.0.0.1', httpPort: 8080, grpcPort: 50_051, graphqlPort: 4000,
  });
  expect(readConfig({}).postgresUrl).toBeUndefined();
});

test('a setting comes from its variable, and an empty variable counts as absent', () => {
  expect(readConfig({ TARL_HTTP_PORT: '0', TARL_GRPC_PORT: '', TARL_POSTGRES_URL: 'postgres://u:p@h/d' })).toMatchObject({
    httpPort: 0, grpcPort: 50_051, postgresUrl: 'postgres://u:p@h/d',
  });
});

test.each([
  ['TARL_HTTP_PORT', 'eighty', 'TARL_HTTP_PORT cannot be "eighty": it takes a whole number from 0 to 65535.'],
  ['TARL_GRPC_PORT', '70000', 'TARL_GRPC_PORT cannot be "70000": it takes a whole number from 0 to 65535.'],
  ['TARL_ROLES', 'api,cook', 'TARL_ROLES cannot be "api,cook": it takes one or more of api, projector, worker, separated by commas.'],
  ['TARL_LOG_LEVEL', 'loud', 'TARL_LOG_LEVEL cannot be "loud": it takes one of fatal, error, warn, info, debug, trace, silent.'],
  ['TARL_REDIS_URL', 'localhost', 'TARL_REDIS_URL cannot be what it is now: it takes an address that begins with redis:// or rediss://.'],
  ['TARL_HTTPPORT', '1', 'TARL_HTTPPORT is not a setting of TARL; did you mean TARL_HTTP_PORT?'],
  ['TARL_POSTGRES_PASSWORD', 'x', 'TARL_POSTGRES_PASSWORD is not a setting of TARL; did you mean TARL_POSTGRES_PORT?'],
])('%s=%s is refused with a sentence that says what to write instead', (variable, value, sentence) => {
  expect(() => readConfig({ [variable]: value })).toThrow(new Error(sentence));
});

test('a process has all roles, or those that are named', () => {
  expect(readConfig({}).roles).toEqual(['api', 'projector', 'worker']);
  expect(readConfig({ TARL_ROLES: 'worker, api,worker' }).roles).toEqual(['worker', 'api']);
});

test('a wrong address does not show the password inside of it', () => {
  expect(() => readConfig({ TARL_POSTGRES_URL: 'mysql://me:secret@host' })).toThrow(/^(?!.*secret)TARL_POSTGRES_URL cannot be/s);
});

test('all mistakes are named at once', () => {
  expect(() => readConfig({ TARL_HTTP_PORT: 'a', TARL_GRPC_PORT: 'b' })).toThrow(/TARL_HTTP_PORT.*\n.*TARL_GRPC_PORT/);
});
