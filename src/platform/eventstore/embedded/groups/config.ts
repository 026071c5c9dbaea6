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

/** The stream in which a group sets aside what its consumers could not handle. */
export const parkedStream = (config: Pick<GroupConfig, 'source' | 'name'>): string => `$persistentsubscription-${groupKey(config)}-parked`;
