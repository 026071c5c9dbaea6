import { randomUUID } from 'node:crypto';
import { encodeChunk, featureRowsWritten } from '../../../../src/domain/features/chunk.js';
import { encodeKey, partitionOf } from '../../../../src/domain/features/keys.js';
import type { FeatureGroupDefinition } from '../../../../src/domain/features/state.js';
import { featureGroupStream, featureRowsStream } from '../../../../src/domain/features/streams.js';
import type { FeatureType, WriteMode } from '../../../../src/domain/features/index.js';
import type { EventStore, NewEvent, Position } from '../../../../src/platform/eventstore/port.js';
import { blockOf, type Row } from './written.js';
