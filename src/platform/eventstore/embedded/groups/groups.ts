import { groupDoesNotExist, groupDropped, groupExists, groupFailed } from '../refusals.js';
import type { EventStore } from '../store/event-store.js';
import { ALL, groupKey, type GroupConfig } from './config.js';
import { Group } from './group.js';
import { GroupCheckpoint } from './group-checkpoint.js';
import { STRATEGIES } from './strategy.js';

const PREFIX = 'group/';

/** The persistent subscriptions of this node. */
export class Groups {
  private readonly groups = new Map<string, Group>();
  /** Those that are being stored. */
  private readonly creating = new Set<string>();

  constructor(private readonly store: EventStore) {
    this.load();
  }

  async create(config: GroupConfig): Promise<void> {
    const key = groupKey(config);
    if (this.groups.has(key) || this.creating.has(key)) throw groupExists(config);
    this.requireSensible(config);
    this.creating.add(key);
    try {
      await this.save(config);
      this.groups.set(key, new Group(this.store, config));
    } finally {
      this.creating.delete(key);
    }
  }

  /** Gives a group other settings. Its readers are dropped; how far it was stays. */
  async update(config: GroupConfig): Promise<void> {
    const group = this.find(config);
    this.requireSensible(config);
    const updated = { ...config, filter: group.config.filter };
    await this.save(updated);
    if (this.groups.get(groupKey(config)) !== group) throw groupDoesNotExist(config);
    group.stop(groupDropped(config));
    this.groups.set(groupKey(config), new Group(this.store, updated));
  }

  async delete(of: Pick<GroupConfig, 'source' | 'name'>): Promise<void> {
    const group = this.find(of);
    group.stop(groupDropped(of));
    this.groups.delete(groupKey(of));
    this.store.setWithNextCommit(PREFIX + groupKey(of), undefined);
    GroupCheckpoint.remove(this.store, group.config);
    await group.parked.remove();
    await this.store.settled();
  }

  find(of: Pick<GroupConfig, 'source' | 'name'>): Group {
    const group = this.groups.get(groupKey(of));
    if (group === undefined) throw groupDoesNotExist(of);
    return group;
  }

  /** The groups of a source, or all of them. */
  list(source?: string): Group[] {
    return [...this.groups.values()].filter(({ config }) => source === undefined || config.source === source);
  }

  /** Ends every reader and begins again from what is stored. */
  async restart(): Promise<void> {
    this.stop();
    await this.store.settled();
    this.load();
  }

  stop(): void {
    for (const { config } of this.list()) this.groups.get(groupKey(config))?.stop(groupDropped(config));
    this.groups.clear();
  }

  private load(): void {
    for (const value of this.store.settings(PREFIX)) {
      const config = JSON.parse(value.toString('utf8')) as GroupConfig;
      this.groups.set(groupKey(config), new Group(this.store, config));
    }
  }

  private async save(config: GroupConfig): Promise<void> {
    await this.store.set(PREFIX + groupKey(config), Buffer.from(JSON.stringify(config)));
  }

  private requireSensible(config: GroupConfig): void {
    const { readBatchSize, historyBufferSize, strategy, source, from } = config;
    if (source === '') throw groupFailed(config, 'Bad stream name.');
    if (!STRATEGIES.includes(strategy)) throw groupFailed(config, `Consumer strategy ${String(strategy)} does not exist.`);
    if (source === ALL && typeof from === 'number' && from >= this.store.log.end)
      throw groupFailed(config, 'Invalid Start From position: commit position must be less than or equal to the last commit position in the transaction file.');
    if (readBatchSize >= historyBufferSize) throw groupFailed(config, 'readBatchSize may not be greater than or equal to bufferSize');
  }
}
