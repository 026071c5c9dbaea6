import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { reflect } from '../../src/api/grpc/protos.js';
import { decodeReadOnlineRequest, encodeReadOnlineReply } from '../../src/api/grpc/features/read-messages.js';
import { decodeStreamWriteRequest, decodeWriteRequest, encodeStreamWriteReply } from '../../src/api/grpc/features/write-messages.js';
import type { OnlineAnswer } from '../../src/projections/features/online/read.js';

const root = reflect(['tarl/features/v1/rows.proto']);
const type = (name: string) => root.lookupType(`tarl.features.v1.${name}`);
const encoded = (name: string, message: object) => Buffer.from(type(name).encode(type(name).fromObject(message)).finish());
const decoded = (name: string, bytes: Buffer): any => type(name).toObject(type(name).decode(bytes), { longs: String, arrays: true, defaults: true });

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const double = fc.double();
const text = fc.string({ unit: 'grapheme', maxLength: 60 });

const column = fc.record({
  name: text,
  doubles: fc.array(double),
  ints: fc.array(int64),
  strings: fc.array(text),
  stringIndex: fc.array(fc.nat()),
  bools: fc.array(fc.boolean()),
  timesUs: fc.array(fc.maxSafeInteger()),
  lists: fc.array(fc.array(double)),
  nulls: fc.array(fc.nat()),
});

describe('the hand-written codecs of feature rows agree with protobufjs', () => {
  test('on what a batch of columns says', () => {
    fc.assert(
      fc.property(text, text, fc.boolean(), fc.array(fc.maxSafeInteger()), column, (project, group, partial, eventTimeUs, given) => {
        const message = { ...given, ints: given.ints.map(String), lists: given.lists.map((values) => ({ values })) };
        const read = decodeWriteRequest(encoded('WriteRequest', { project, group, mode: 2, partial, quarantine: true, lines: [7, 300], version: 3, batch: { keys: [message], eventTimeUs, features: [] } }));
        expect(read).toEqual({ project, group, mode: 2, partial, quarantine: true, lines: [7, 300], version: 3, rows: [], batch: { keys: [expect.anything()], eventTimeUs, features: [] } });
        const { ints, ...rest } = read.batch!.keys[0]!;
        const { ints: givenInts, ...givenRest } = given;
        expect(rest).toEqual(givenRest);
        expect(ints.map(BigInt)).toEqual(givenInts);
        expect(ints.every((value) => typeof value === 'number' || !Number.isSafeInteger(Number(value)))).toBe(true);
      }),
    );
  });

  test('on what single rows say, times before 1970 included', () => {
    const value = { stringValue: 'a' };
    const rows = [{ entity: { id: value }, eventTime: { seconds: -1, nanos: 999_999_999 }, values: { x: { nullValue: 0 }, y: { listValue: { values: [{ numberValue: 1 }] } }, z: { boolValue: true }, s: { structValue: { fields: { a: value } } } } }];
    const read = decodeStreamWriteRequest(encoded('StreamWriteRequest', { requestId: 'r', write: { rows } }));
    expect(read.requestId).toBe('r');
    expect(read.write.rows).toEqual([{ entity: new Map([['id', 'a']]), eventTimeUs: -1, values: new Map<string, unknown>([['x', null], ['y', [1]], ['z', true], ['s', { a: 'a' }]]) }]);
  });

  test.each([-1, 1_000_000_000, -(2 ** 31)])('but %d nanoseconds are no part of a second: such a time is none', (nanos) => {
    const read = decodeWriteRequest(encoded('WriteRequest', { rows: [{ entity: {}, eventTime: { seconds: 1_700_000_000, nanos } }] }));
    expect(Number.isFinite(read.rows[0]!.eventTimeUs)).toBe(false);
  });

  test('on fields that they do not know: those are passed over', () => {
    const bytes = Buffer.concat([encoded('ReadOnlineRequest', { project: 'p', features: ['a'], fullNames: true }), Buffer.from([0xa0, 0x06, 0x01, 0xa9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xb2, 0x06, 0x02, 1, 2, 0xbd, 0x06, 1, 2, 3, 4])]);
    expect(decodeReadOnlineRequest(bytes)).toEqual({ project: 'p', features: ['a'], keys: [], entities: [], fullNames: true, service: '' });
  });

  test('on what an answer says', () => {
    const list = <Value>(of: fc.Arbitrary<Value>) => fc.array(fc.option(of), { maxLength: 300 });
    fc.assert(
      fc.property(list(double), list(int64), list(text), list(fc.boolean()), list(fc.maxSafeInteger()), list(fc.array(double)), (doubles, ints, strings, bools, times, lists) => {
        const inOneForm = (value: bigint | null) => (value === null ? null : Number.isSafeInteger(Number(value)) ? Number(value) : String(value));
        const feature = (kind: string, values: readonly unknown[]) => ({ name: kind, group: 'g', type: kind, values, statuses: Uint8Array.from(values, (value) => (value === null ? 2 : 1)) });
        const features = [feature('DOUBLE', doubles), feature('INT64', ints.map(inOneForm)), feature('STRING', strings), feature('BOOL', bools), feature('TIMESTAMP', times), feature('DOUBLE_LIST', lists)];
        const timeUs = Float64Array.from(times, (time) => time ?? 0);
        const read = decoded('ReadOnlineReply', encodeReadOnlineReply({ entities: 0, features, groups: [{ group: 'g', timeUs }] } as unknown as OnlineAnswer));
        const [d, i, s, b, t, l] = read.features.map(({ values }: any) => values);
        expect(d.doubles).toEqual(doubles.map((value) => value ?? 0));
        expect(i.ints).toEqual(ints.map((value) => String(value ?? 0)));
        expect(s.strings).toEqual(strings.map((value) => value ?? ''));
        expect(b.bools).toEqual(bools.map((value) => value ?? false));
        expect(t.timesUs).toEqual(times.map((value) => String(value ?? 0)));
        expect(l.lists.map(({ values }: any) => values)).toEqual(lists.map((value) => value ?? []));
        expect([...read.features[0].statuses]).toEqual([...features[0]!.statuses]);
        expect(read.groups).toEqual([{ group: 'g', eventTimeUs: [...timeUs].map(String) }]);
      }),
    );
  });

  test('on what a stream is answered', () => {
    const written = { commandId: 'c', position: '5', rowsWritten: 300, rowsRejected: 1, rowsQuarantined: 1, faults: [{ row: 0, field: 'values.é', description: 'x'.repeat(200) }] };
    expect(decoded('StreamWriteReply', encodeStreamWriteReply({ requestId: 'r', written }))).toMatchObject({ requestId: 'r', written });
    const refusal = { code: 'NOT_FOUND', reason: 'R', message: 'm'.repeat(20_000), fields: [{ field: 'f', description: 'd' }] };
    expect(decoded('StreamWriteReply', encodeStreamWriteReply({ requestId: '', refusal }))).toMatchObject({ refusal });
  });

  test('that what does not decode is refused, never misread and never endless', () => {
    const good = encoded('WriteRequest', { project: 'p', group: 'g', batch: { keys: [{ name: 'id', strings: ['a', 'b'], ints: ['-5'] }], eventTimeUs: [1, 2], features: [] } });
    for (let length = 0; length < good.length; length++) {
      const cut = good.subarray(0, length);
      let theirs: unknown;
      try {
        theirs = type('WriteRequest').decode(cut);
      } catch {
        expect(() => decodeWriteRequest(cut)).toThrow();
      }
      if (theirs) expect(decodeWriteRequest(cut).project).toBe((theirs as any).project);
    }
    expect(() => decodeWriteRequest(Buffer.from([0x0a, 0x02, 0xc3, 0x28]))).toThrow('not UTF-8');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeStreamWriteRequest(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
