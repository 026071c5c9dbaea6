import { expect, test } from '@jest/globals';
import { Definitions } from '../../../src/commands/features/definitions.js';
import { Aggregates } from '../../../src/commands/kit/aggregates.js';
import { featureService } from '../../../src/domain/features/services/state.js';
import { featureServiceStream } from '../../../src/domain/features/streams.js';
import type { EventStore } from '../../../src/platform/eventstore/port.js';
import { memoryLog } from './memory-log.js';

test('a definition that was looked up is looked up again without reading anything', async () => {
  const log = memoryLog();
  let reads = 0;
  const counting = { ...log, readStream: (...asked: Parameters<typeof log.readStream>) => (reads++, log.readStream(...asked)) } as unknown as EventStore;
  const data = { project: 'p', service: 's', features: ['g:x'], fullNames: false, owner: '', description: '', tags: {} };
  await log.append(featureServiceStream('p', 's'), [{ id: '1', type: 'FeatureServiceCreated', data, metadata: { version: 1 } }], { expected: 'none' });
  const services = new Definitions(new Aggregates(counting), featureService, featureServiceStream);
  expect(await services.present('p', 's')).toMatchObject({ status: 'active', definition: { features: ['g:x'] } });
  for (let again = 0; again < 100; again++) await services.present('p', 's');
  expect(reads).toBe(1);
});
