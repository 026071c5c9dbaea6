import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { inputOfMessage } from '../../src/api/grpc/input.js';
import { messageReader, messageWriter } from '../../src/api/grpc/values.js';

const { root } = protobuf.parse(`
  syntax = "proto3";
  package test;
  enum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; COLOUR_BLUE = 2; }
  enum Plain { none = 0; some = 1; }
  message Tree { string name = 1; repeated Tree children = 2; google.protobuf.Timestamp at = 3; }
  message Holder {
    google.protobuf.Timestamp at = 1;
    google.protobuf.Duration took = 2;
    google.protobuf.Struct object = 3;
    google.protobuf.Value value = 4;
    Colour colour = 5;
    Plain plain = 6;
    repeated Colour colours = 7;
    map<string, google.protobuf.Value> values = 8;
    Tree tree = 9;
  }
  message Simple { string name = 1; repeated int64 numbers = 2; }
  message Timestamp { int64 seconds = 1; }
`);
for (const name of ['timestamp', 'duration', 'struct']) root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)!.nested!);
root.resolveAll();
const Holder = root.lookupType('test.Holder');

/** To bytes and back, as server and client do it. */
function across(message: object): Record<string, unknown> {
  const bytes = Holder.encode(Holder.fromObject(messageWriter(Holder)!(message))).finish();
  return messageReader(Holder)!(Holder.toObject(Holder.decode(bytes), { longs: String, enums: String, defaults: true }));
}

test('times cross as ISO 8601 to the nanosecond, before and after 1970', () => {
  for (const at of ['2026-01-31T12:00:00.000Z', '1969-12-31T23:59:59.999Z', '0001-01-01T00:00:00.000Z', '2026-01-31T12:00:00.123456Z', '2026-01-31T12:00:00.000000001Z']) expect(across({ at }).at).toBe(at);
  expect(across({ at: new Date(5) }).at).toBe('1970-01-01T00:00:00.005Z');
  expect(across({ at: '2026-01-31T13:00:00+01:00' }).at).toBe('2026-01-31T12:00:00.000Z');
  expect(() => across({ at: 'yesterday' })).toThrow('not ISO 8601');
});

test('durations cross as seconds', () => {
  for (const took of ['0s', '3.5s', '-0.25s', '-7s', '0.000000001s']) expect(across({ took }).took).toBe(took);
});

test('any JSON crosses as itself', () => {
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  fc.assert(fc.property(json, (value) => expect(across({ value }).value).toEqual(value)));
  fc.assert(fc.property(fc.dictionary(fc.string(), json), (values) => expect(across({ values }).values).toEqual({ ...values })));
  expect(across({ object: { a: [1, { b: null }] } }).object).toEqual({ a: [1, { b: null }] });
});

test('enum values lose the prefix they share, and unspecified is left out', () => {
  expect(across({ colour: 'RED', colours: ['BLUE', 'RED'] })).toMatchObject({ colour: 'RED', colours: ['BLUE', 'RED'] });
  expect(across({}).colour).toBeUndefined();
  expect(across({ plain: 'some' }).plain).toBe('some');
});

test('a message that is not set is left out; one that holds itself crosses', () => {
  expect(across({}).tree).toBeUndefined();
  const tree = { name: 'a', at: '2026-01-01T00:00:00.000Z', children: [{ name: 'b', at: undefined, children: [] }] };
  expect(across({ tree }).tree).toEqual(tree);
});

test('messages that need nothing done are left alone', () => {
  expect(messageReader(root.lookupType('test.Simple'))).toBeUndefined();
  expect(messageWriter(root.lookupType('test.Simple'))).toBeUndefined();
});

test('digits become whole numbers where the schema has them, and an empty list is absent where it may be', () => {
  const integer = { kind: 'integer' } as const;
  const read = inputOfMessage([
    { name: 'ttl', kind: integer, optional: false },
    { name: 'tags', kind: { kind: 'map', of: { kind: 'string' } }, optional: true },
    { name: 'needed', kind: { kind: 'list', of: integer }, optional: false },
  ]);
  expect(read({ ttl: '3600', tags: {}, needed: [] })).toEqual({ ttl: 3600, needed: [] });
  expect(read({ ttl: '9007199254740993', tags: { a: 'b' }, needed: ['1', '2'] })).toEqual({ ttl: '9007199254740993', tags: { a: 'b' }, needed: [1, 2] });
});
