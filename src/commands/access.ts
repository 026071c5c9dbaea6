import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { issueFirstOwnerKey } from '../domain/access/decisions.js';
import { ownerKeys, ownerStream, type OwnerKeys } from '../domain/access/state.js';
import { Refusal } from '../domain/kit/index.js';
import { WrongExpectedRevision } from '../platform/eventstore/errors.js';
import type { EventStore } from '../platform/eventstore/port.js';
import type { Aggregates } from './kit/aggregates.js';
import type { Caller } from './kit/command.js';
import { commandIdOf, eventIdOf, eventMetadata } from './kit/metadata.js';

/** `tarl_<id>_<secret>`: the id finds the key, the secret of 256 random bits proves it. */
const keyShape = /^tarl_([0-9a-z]{8})_([0-9A-Za-z_-]{43})$/;

/** What made a key good: where its hash is still the one that is held for its id, it is good again without being hashed. */
interface Proven {
  readonly caller: Caller;
  readonly keyId: string;
  readonly secretHash: string;
}

/** The most keys that are known without being hashed. */
const mostProven = 1_000;

/** Says who stands behind an API key. Finer grants than the owner's come with the access domain. */
export class KeyGuard {
  private readonly localHash: string | undefined;
  private readonly proven = new Map<string, Proven>();

  constructor(
    private readonly eventStore: EventStore,
    private readonly aggregates: Aggregates,
    localKey?: string,
  ) {
    this.localHash = localKey === undefined ? undefined : hashOf(localKey);
  }

  /** The first start's key in clear, to be shown once; undefined on every later start. */
  async issueFirstOwnerKey(): Promise<string | undefined> {
    const { state, revision } = await this.aggregates.load(ownerKeys, ownerStream);
    const keyId = randomBytes(8).reduce((text, byte) => text + (byte % 36).toString(36), '');
    const secret = randomBytes(32).toString('base64url');
    const context = { caller: ownerOf('platform') };
    const [event] = issueFirstOwnerKey({ keyId, secretHash: hashOf(secret) }, state, { now: new Date().toISOString(), actor: context.caller.actor });
    if (!event) return undefined;
    const identity = { commandId: commandIdOf(context) };
    try {
      const metadata = { ...eventMetadata(identity, context, 1) };
      await this.eventStore.append(ownerStream, [{ id: eventIdOf(identity, 0), ...event, metadata }], { expected: revision < 0n ? 'none' : revision });
      return `tarl_${keyId}_${secret}`;
    } catch (error) {
      // Another process of the same platform was first; its key is the owner's.
      if (error instanceof WrongExpectedRevision) return undefined;
      throw error;
    }
  }

  /** The caller behind a key, at once where the key was proven before; refuses whatever is not a live key. */
  authenticate(apiKey: string | undefined): Caller | Promise<Caller> {
    const proven = this.proven.get(apiKey!);
    return proven !== undefined && this.isHeld(proven) ? proven.caller : this.prove(apiKey);
  }

  private isHeld({ keyId, secretHash }: Proven): boolean {
    return secretHash === (keyId === localKeyId ? this.localHash : this.aggregates.cached<OwnerKeys>(ownerStream)?.state.get(keyId));
  }

  private async prove(apiKey: string | undefined): Promise<Caller> {
    if (!apiKey) throw new Refusal('UNAUTHENTICATED', 'This needs an API key: send "Authorization: Bearer <key>"', { reason: 'MISSING_API_KEY' });
    if (this.localHash !== undefined && same(hashOf(apiKey), this.localHash)) return this.remember(apiKey, { caller: localOwner, keyId: localKeyId, secretHash: this.localHash });
    const [, keyId = '', secret = ''] = keyShape.exec(apiKey) ?? [];
    const secretHash = keyId === '' ? undefined : (await this.knownKeys(keyId)).get(keyId);
    // A secret is hashed and compared even where there is no such key, so that time does not tell which ids exist.
    if (!same(hashOf(secret), secretHash ?? hashOfNothing) || secretHash === undefined) throw unknownKey();
    return this.remember(apiKey, { caller: ownerOf(`key:${keyId}`), keyId, secretHash });
  }

  private remember(apiKey: string, proven: Proven): Caller {
    if (this.proven.size >= mostProven) this.proven.clear();
    this.proven.set(apiKey, proven);
    return proven.caller;
  }

  /** The cached keys, read again only when an unknown key id comes along that may be new. */
  private async knownKeys(keyId: string): Promise<OwnerKeys> {
    const cached = this.aggregates.cached<OwnerKeys>(ownerStream)?.state;
    return cached?.has(keyId) ? cached : (await this.aggregates.load(ownerKeys, ownerStream)).state;
  }
}

/** The owner may do everything everywhere. */
const ownerOf = (actor: string): Caller => ({ actor, may: () => true });

const localOwner = ownerOf('local');
/** Stands for the key of this machine, which no event holds. */
const localKeyId = '';

const hashOf = (secret: string): string => hash('sha256', secret, 'base64url');
const hashOfNothing = hashOf('');
const same = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
const unknownKey = () => new Refusal('UNAUTHENTICATED', 'This API key is not known', { reason: 'UNKNOWN_API_KEY' });
