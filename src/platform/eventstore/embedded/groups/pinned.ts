import { crc32 } from 'node:zlib';
import type { Consumer } from './consumer.js';
import type { Message } from './message.js';

const BUCKETS = 1024;

/**
 * Events of one stream (or correlation) go to one consumer as long as it stays. A stream falls into a bucket, and the
 * consumer with the fewest buckets gets one that nobody has; a consumer that joins takes over what others have too many of.
 */
export class Pinned {
  private readonly consumers: Consumer[] = [];
  private readonly owners = new Map<number, Consumer>();

  added(consumer: Consumer): void {
    this.consumers.push(consumer);
    const fair = Math.ceil(this.owners.size / this.consumers.length);
    for (const other of this.consumers) {
      if (other === consumer) continue;
      const buckets = this.bucketsOf(other);
      for (const bucket of buckets.slice(0, Math.max(0, buckets.length - fair))) this.owners.set(bucket, consumer);
    }
  }

  removed(consumer: Consumer): void {
    this.consumers.splice(this.consumers.indexOf(consumer), 1);
    for (const bucket of this.bucketsOf(consumer)) this.owners.delete(bucket);
  }

  choose(message: Message): Consumer | undefined {
    const bucket = bucketOf(message);
    let owner = this.owners.get(bucket);
    if (owner === undefined) {
      owner = this.leastAssigned();
      if (owner !== undefined) this.owners.set(bucket, owner);
    }
    return owner?.hasRoom ? owner : undefined;
  }

  /** A consumer's buckets, those first of which it works on the fewest events. */
  private bucketsOf(consumer: Consumer): number[] {
    const inFlight = new Map<number, number>();
    for (const message of consumer.unacknowledged.values()) inFlight.set(bucketOf(message), (inFlight.get(bucketOf(message)) ?? 0) + 1);
    const buckets = [...this.owners].filter(([, owner]) => owner === consumer).map(([bucket]) => bucket);
    return buckets.sort((a, b) => (inFlight.get(a) ?? 0) - (inFlight.get(b) ?? 0) || a - b);
  }

  private leastAssigned(): Consumer | undefined {
    const counts = new Map(this.consumers.map((consumer) => [consumer, 0]));
    for (const owner of this.owners.values()) counts.set(owner, counts.get(owner)! + 1);
    let least: Consumer | undefined;
    for (const [consumer, count] of counts) if (least === undefined || count < counts.get(least)!) least = consumer;
    return least;
  }
}

const bucketOf = ({ pin }: Message): number => crc32(pin) % BUCKETS;
