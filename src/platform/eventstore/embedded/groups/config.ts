import type { FilterRequest, From } from '../wire/read-requests.js';

/** How consumers of a group take turns. */
export type Strategy = 'DispatchToSingle' | 'RoundRobin' | 'Pinned' | 'PinnedByCorrelation';

/** What a persistent subscription was created with, in the words of its protocol. */
export interface GroupConfig {
  /** A stream, or `$all`. */
  readonly source: string;
  readonly name: string;
  readonly from: From;
  readonly filter?: FilterRequest | undefined;
  readonly resolveLinks: boolean;
  readonly extraStatistics: boolean;
  readonly messageTimeoutMs: number;
  readonly maxRetryCount: number;
  readonly checkpointAfterMs: number;
  readonly minCheckpointCount: number;
  readonly maxCheckpointCount: number;
  /** 0 allows any number. */
  readonly maxSubscriberCount: number;
  readonly liveBufferSize: number;
  readonly readBatchSize: number;
  readonly historyBufferSize: number;
  readonly strategy: Strategy;
}

export const ALL = '$all';

/** By what a group is known among all groups. */
export const groupKey = ({ source, name }: Pick<GroupConfig, 'source' | 'name'>): string => `${source}::${name}`;

const PARKED_PREFIX = '$persistentsubscription-';
const PARKED_SUFFIX = '-parked';

/** The stream in which a group sets aside what its consumers could not handle. */
export const parkedStream = (config: Pick<GroupConfig, 'source' | 'name'>): string => `${PARKED_PREFIX}${groupKey(config)}${PARKED_SUFFIX}`;

/** Whether a group on `$all` set events aside in this stream. Such a group does not get them from the log again: they would be set aside without end. */
export const isParkedOfAll = (stream: string): boolean => stream.startsWith(`${PARKED_PREFIX}${ALL}::`) && stream.endsWith(PARKED_SUFFIX);
