import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { callGrpc, callRest } from './support/clients.js';
import { ownerKey } from './support/memory-core.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let quarantine: Client;
const get = (path: string) => callRest(platform.addresses.rest, 'GET', path);

beforeAll(async () => {
  platform = await testPlatform();
  const loaded = loadPackageDefinition(loadProtos(['tarl/features/v1/quarantine.proto'])) as any;
  quarantine = new loaded.tarl.features.v1.Quarantine(platform.addresses.grpc, credentials.createInsecure());
  await platform.rest('/api/v1/projects', { project: 'q' });
});
afterAll(async () => {
  quarantine.close();
  await platform.close();
});

let groups = 0;
/** A group with a row that is good and one that is refused for each of the given reasons; gives what was written. */
async function refusedRows(...rows: object[]) {
  const group = `group_${++groups}`;
  const made = await platform.rest('/api/v1/projects/q/feature-groups', {
    group, entities: [{ name: 'id', type: 'STRING' }], features: [{ name: 'n', type: 'INT64', constraints: { min: 0 } }, { name: 'said', type: 'STRING' }],
  });
  expect(made.code).toBe('OK');
  const good = { entity: { id: 'good' }, eventTime: '2026-01-01T00:00:00Z', values: { n: 1 } };
  const written = await platform.rest(`/api/v1/projects/q/feature-groups/${group}:write`, { quarantine: true, rows: [good, ...rows] });
  expect(written).toMatchObject({ code: 'OK', answer: { rowsWritten: 1, rowsRejected: rows.length, rowsQuarantined: rows.length } });
  return group;
}
const negative = { entity: { id: 'a' }, eventTime: '2026-01-01T00:00:00Z', values: { n: '-9007199254740993', said: 'ü \u0000' } };
const waitingIn = async (group: string) => (await get(`/api/v1/projects/q/quarantined-rows?filter=${encodeURIComponent(`group = ${group}`)}`)).answer.quarantinedRows;
const online = async (group: string, id: string, position: string) =>
  (await platform.rest('/api/v1/projects/q/features:readOnline', { features: [group], entities: [{ id }] }, { 'tarl-min-position': position })).answer.rows[0];

describe('a refused row', () => {
  test('waits with what stood in it and why it was refused, on every wire', async () => {
    const group = await refusedRows(negative, { entity: {}, eventTime: 'noon', values: { other: [1], n: 2 } });
    const rows = (await waitingIn(group)).sort((a: any, b: any) => a.faults.length - b.faults.length);
    const shown = {
      project: 'q', group, version: 0, mode: 'BOTH', ...negative, eventTime: '2026-01-01T00:00:00.000Z', source: '', refusedBy: expect.any(String),
      faults: [{ field: 'values.n', description: 'is less than 0' }],
    };
    expect(rows).toMatchObject([shown, { entity: {}, eventTime: 'noon', values: { other: [1], n: 2 }, faults: expect.arrayContaining([expect.objectContaining({ field: 'eventTime' }), expect.objectContaining({ field: 'values.other' })]) }]);
    const days = (Date.parse(rows[0].expiresAt) - Date.parse(rows[0].refusedAt)) / 86_400_000;
    expect(days).toBe(30);
    const { id } = rows[0];
    expect((await get(`/api/v1/projects/q/quarantined-rows/${id}`)).answer).toEqual(rows[0]);
    expect((await callGrpc(quarantine, 'GetQuarantinedRow', { project: 'q', id })).answer).toMatchObject({ ...shown, version: '0' });
    const listed = await platform.graphql('query ($filter: String) { quarantinedRows(project: "q", filter: $filter) { edges { node { id entity values eventTime faults { field description } } } } }', { filter: `group = ${group} AND field = values.n` });
    expect(listed.answer.quarantinedRows.edges).toEqual([{ node: { id, entity: negative.entity, values: negative.values, eventTime: shown.eventTime, faults: shown.faults } }]);
  });

  test('is listed page by page, by reason and by time', async () => {
    const group = await refusedRows(...Array.from({ length: 5 }, (_, n) => ({ ...negative, entity: { id: `e${n}` } })), { ...negative, values: { n: 'x' } });
    const list = (query: Record<string, string>) => get(`/api/v1/projects/q/quarantined-rows?${new URLSearchParams(query).toString()}`);
    const filter = `group = ${group} AND reason : "less than" AND refusedAt > "2026-01-01T00:00:00Z"`;
    const first = await list({ filter, orderBy: 'refusedAt desc', pageSize: '3' });
    const second = await list({ filter, orderBy: 'refusedAt desc', pageSize: '3', pageToken: first.answer.nextPageToken });
    expect([first.answer.quarantinedRows.length, second.answer.quarantinedRows.length, second.answer.nextPageToken]).toEqual([3, 2, '']);
    const seen = [...first.answer.quarantinedRows, ...second.answer.quarantinedRows];
    expect(new Set(seen.map(({ entity }: any) => entity.id))).toEqual(new Set(['e0', 'e1', 'e2', 'e3', 'e4']));
    const later = await refusedRows(negative);
    const groupsBy = async (orderBy: string) => (await list({ filter: `refusedAt >= "${seen[0].refusedAt}"`, orderBy })).answer.quarantinedRows.map((row: any) => row.group);
    expect([(await groupsBy('refusedAt'))[0], (await groupsBy('refusedAt desc'))[0]]).toEqual([group, later]);
    expect(await list({ filter: 'nothing = 1' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await list({ orderBy: 'bytes' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test.each(['REST', 'gRPC', 'GraphQL'])('is mended over %s: written like any row, and gone', async (wire) => {
    const group = await refusedRows(negative);
    const [{ id }] = await waitingIn(group);
    const mend = async (values: object, more: object = {}) => {
      if (wire === 'REST') return platform.rest(`/api/v1/projects/q/quarantined-rows/${id}:mend`, { values, ...more });
      if (wire === 'gRPC') return callGrpc(quarantine, 'MendQuarantinedRow', { project: 'q', id, values, ...more });
      const outcome = await platform.graphql('mutation ($input: MendQuarantinedRowInput!) { mendQuarantinedRow(input: $input) { position rowsWritten } }', { input: { project: 'q', id, values, ...more } });
      return { ...outcome, answer: outcome.answer?.mendQuarantinedRow };
    };
    expect(await mend({ n: -1 })).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'ROWS_REJECTED', fields: [{ field: 'rows[0].values.n' }] });
    expect(await waitingIn(group)).toHaveLength(1);
    const mended = await mend({ n: 7, said: 'ü' }, { entity: { id: 'b' } });
    expect(mended).toMatchObject({ code: 'OK', answer: { rowsWritten: 1 } });
    expect(await online(group, 'b', mended.answer.position)).toMatchObject({ values: { n: 7, said: 'ü' } });
    expect(await waitingIn(group)).toEqual([]);
    const again = await mend({ n: 7, said: 'ü' }, { entity: { id: 'b' } });
    expect([again.code, again.answer]).toEqual(['OK', mended.answer]);
    expect(await mend({ n: 7 })).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'ROW_MENDED_BEFORE' });
  });

  test('that nobody knows cannot be mended', async () => {
    expect(await platform.rest(`/api/v1/projects/q/quarantined-rows/${crypto.randomUUID()}:mend`, {})).toMatchObject({ code: 'NOT_FOUND', reason: 'QUARANTINED_ROW_NOT_FOUND' });
  });

  test.each(['REST', 'gRPC', 'GraphQL'])('is discarded once over %s, and who asks again under the same key gets the same answer', async (wire) => {
    const group = await refusedRows(negative);
    const [{ id }] = await waitingIn(group);
    const discard = async (reason: string) => {
      const [input, headers] = [{ project: 'q', ids: [id], reason }, { 'idempotency-key': `discard-${wire}` }];
      if (wire === 'REST') return platform.rest('/api/v1/projects/q/quarantined-rows:discard', { ids: [id], reason }, headers);
      if (wire === 'gRPC') return callGrpc(quarantine, 'DiscardQuarantinedRows', input, headers);
      const outcome = await platform.graphql('mutation ($input: DiscardQuarantinedRowsInput!) { discardQuarantinedRows(input: $input) { discarded position } }', { input }, headers);
      return { ...outcome, answer: outcome.answer?.discardQuarantinedRows };
    };
    const [first, again] = [await discard('old'), await discard('old')];
    expect(first).toMatchObject({ code: 'OK', answer: { discarded: 1 } });
    expect([again.code, again.answer]).toEqual(['OK', first.answer]);
    expect(await discard('older')).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'IDEMPOTENCY_KEY_REUSED' });
  });

  test('may lose a name that its group does not know', async () => {
    const group = await refusedRows({ ...negative, values: { n: 5, other: 1 } });
    const [{ id }] = await waitingIn(group);
    expect(await platform.rest(`/api/v1/projects/q/quarantined-rows/${id}:mend`, { without: ['other'] })).toMatchObject({ code: 'OK' });
  });

  test('is discarded for a reason that the log keeps, all of the named or none', async () => {
    const group = await refusedRows(negative, { ...negative, entity: { id: 'b' } }, { ...negative, entity: { id: 'c' } });
    const ids = (await waitingIn(group)).map(({ id }: { id: string }) => id);
    const discard = (body: object) => platform.rest('/api/v1/projects/q/quarantined-rows:discard', body);
    expect(await discard({ ids: [...ids, crypto.randomUUID()], reason: 'old' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await discard({ ids })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const discarded = await discard({ ids: [ids[0]], reason: 'sent twice' });
    expect(discarded).toMatchObject({ code: 'OK', answer: { discarded: 1 } });
    expect(new Set((await waitingIn(group)).map(({ id }: { id: string }) => id))).toEqual(new Set(ids.slice(1)));
    expect(await callGrpc(quarantine, 'DiscardQuarantinedRows', { project: 'q', ids: [ids[1]], reason: 'too old' })).toMatchObject({ code: 'OK', answer: { discarded: 1 } });
    expect(await platform.graphql('mutation ($input: DiscardQuarantinedRowsInput!) { discardQuarantinedRows(input: $input) { discarded } }', { input: { project: 'q', ids: [ids[2]], reason: 'by hand' } })).toMatchObject({ code: 'OK', answer: { discardQuarantinedRows: { discarded: 1 } } });
    expect(await waitingIn(group)).toEqual([]);
    const replay = await fetch(`${platform.addresses.rest}/api/v1/replay?type=QuarantinedRowsDiscarded`, { headers: { authorization: `Bearer ${ownerKey}` } });
    const told = (await replay.text()).trim().split('\n').map((line: string) => JSON.parse(line).data);
    expect(told.filter(({ ids: [id] }: { ids: string[] }) => ids.includes(id))).toEqual([
      { project: 'q', ids: [ids[0]], reason: 'sent twice' },
      { project: 'q', ids: [ids[1]], reason: 'too old' },
      { project: 'q', ids: [ids[2]], reason: 'by hand' },
    ]);
  });

  test('of a request that is repeated under its key waits once', async () => {
    const group = await refusedRows();
    const again = () => platform.rest(`/api/v1/projects/q/feature-groups/${group}:write`, { quarantine: true, rows: [negative] }, { 'idempotency-key': `${group}-1` });
    expect([await again(), await again()]).toMatchObject([{ answer: { rowsQuarantined: 1, rowsWritten: 0 } }, { answer: { rowsQuarantined: 1 } }]);
    expect(await waitingIn(group)).toHaveLength(1);
  });
});
