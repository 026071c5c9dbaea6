import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readAnswer } from '../../../src/platform/eventstore/read-answer.js';
import type { EventFromLog } from '../../../src/platform/eventstore/stored-event.js';
import { answerWith } from './recorded.js';

const eventWith = (metadata: string) => readAnswer(Buffer.from(answerWith({ metadata: Buffer.from(metadata) }).serializeBinary())) as EventFromLog;
const parsedVersion = (event: EventFromLog) => Number(event.metadata['version'] ?? 1);

test.each([
  '{"version":3}', '{"version":12,"actor":"key:a"}', '{"actor":"key:a","version":2}', '{}', '', '{"actor":"a"}',
  '{"version": 4}', '{"version":null}', '{"version":"5"}', '{"version":2.5}', '{"version":1e1}', '{"version":1,"version":2}',
  '{"note":"\\"version\\":9,","version":2}', '{"inner":{"version":9},"version":2}', '{"version":2,"inner":{"version":9}}', '{"inner":{"version":9}}', '{"\\u0076ersion":7}', '[{"version":3}]',
])('the version of metadata such as %s is what parsing says', (metadata) => {
  expect(eventWith(metadata).schemaVersion).toEqual(parsedVersion(eventWith(metadata)));
});

test('the version is what parsing says, whatever else stands in the metadata', () => {
  const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"version":7,', '{', '}'), fc.nat(), fc.dictionary(fc.constantFrom('version', 'a'), fc.nat()));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('version', 'actor', 'x"version":8,'), value), (metadata) => {
      const text = JSON.stringify(metadata);
      expect(eventWith(text).schemaVersion).toEqual(parsedVersion(eventWith(text)));
    }),
  );
});
