import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { catalogue } from '../../src/catalogue.js';
import { ownerKeys } from '../../src/domain/access/state.js';
import { decodeChunk, featureRowsWritten } from '../../src/domain/features/chunk.js';
import { featureExpectationBreached } from '../../src/domain/features/monitoring/breaches/breach.js';
import { job } from '../../src/domain/jobs/state.js';
import { quarantineDecisions } from '../../src/domain/features/quarantine/state.js';
import { decode, type EventDefinition } from '../../src/domain/kit/index.js';
import { metricsCheckpoint } from '../../src/domain/metrics/state.js';
import { skippedEvents } from '../../src/domain/projections/state.js';

const folder = new URL('./events/', import.meta.url);
const sample = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));

/** Every event that this release writes. */
const definitions = new Map<string, EventDefinition>(
  [...catalogue.flatMap(({ commands }) => commands.flatMap(({ decider, into }) => [...decider.events, ...(into?.events ?? [])])), ...ownerKeys.events, ...skippedEvents.events, ...quarantineDecisions.events, ...job.events, ...metricsCheckpoint.events, featureRowsWritten, featureExpectationBreached].map((definition) => [definition.type, definition]),
);

describe.each([...definitions.values()])('$type', (definition) => {
  const versions = Array.from({ length: definition.version }, (_, index) => index + 1);
  test.each(versions)('as version %i wrote it is still read', (version) => {
    const { type, data } = decode(definition, version, sample(`${definition.type}.v${version}.json`));
    expect(type).toBe(definition.type);
    if (version === definition.version) expect(data).toEqual(sample(`${definition.type}.v${version}.json`));
  });
});

test('no sample is left behind by an event that nobody reads any more', () => {
  const types = readdirSync(folder).map((file) => file.replace(/\.v\d+\.json$/, ''));
  expect(types.filter((type) => !definitions.has(type))).toEqual([]);
});

test('the sample of rows is also what the fast way reads', () => {
  const rows = decodeChunk(sample('FeatureRowsWritten.v1.json'));
  expect(rows).toMatchObject({ rows: 3, mode: 'BOTH', partition: 2, key: Uint32Array.of(0, 1, 0) });
  expect([...rows.timeUs]).toEqual([1767225600000000, 1767225660000000, 1767225720000000]);
  expect([...rows.columns.keys()]).toEqual(['delay', 'carrier', 'embedding', 'open']);
});
