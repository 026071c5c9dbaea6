import { recordedReader } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import { isMetastream, originalOf, parseMetadata, type StreamAcl } from '../store/metadata.js';

/** What can be done with a stream. */
export type StreamOperation = 'read' | 'write' | 'delete' | 'metaRead' | 'metaWrite';

/** Everyone who has logged in. */
const EVERYONE = '$all';
export const ADMINS = '$admins';

const forAll = (roles: readonly string[]): Required<StreamAcl> => ({ read: roles, write: roles, delete: roles, metaRead: roles, metaWrite: roles });
const USER_STREAMS = forAll([EVERYONE]);
const SYSTEM_STREAMS = forAll([ADMINS]);
const SETTINGS = '$settings';
/** What is read as everything is no stream of its own. */
const EVERYTHING = '$all';

/** Who may do what with which stream, as the streams' metadata and the default lists in `$settings` say. */
export class StreamRules {
  private defaults = { user: USER_STREAMS, system: SYSTEM_STREAMS };
  private defaultsAt = -1;

  constructor(private readonly store: EventStore) {}

  /** Whether someone of these roles (their name and groups) may. The stream of everything is `$all`. */
  allow(roles: readonly string[], operation: StreamOperation, name: string): boolean {
    if (name === EVERYTHING && (operation === 'write' || operation === 'delete')) return false;
    if (roles.includes(ADMINS)) return true;
    if (isMetastream(name)) return this.allowMetastream(roles, operation, originalOf(name));
    const acl = this.store.streams.get(name).committed.metadata.acl;
    const allowed = acl?.[operation] ?? this.defaultAcl(name)[operation];
    return allowed.some((role) => role === EVERYONE || roles.includes(role));
  }

  private allowMetastream(roles: readonly string[], operation: StreamOperation, original: string): boolean {
    if (operation === 'delete') return false;
    return this.allow(roles, operation === 'read' || operation === 'metaRead' ? 'metaRead' : 'metaWrite', original);
  }

  private defaultAcl(name: string): Required<StreamAcl> {
    const { last } = this.store.streams.get(SETTINGS).committed;
    if (last !== this.defaultsAt) {
      this.defaults = this.readDefaults(last);
      this.defaultsAt = last;
    }
    return name.startsWith('$') ? this.defaults.system : this.defaults.user;
  }

  /** The last event of `$settings`: `{ "$userStreamAcl": {…}, "$systemStreamAcl": {…} }`, each as in a stream's metadata. */
  private readDefaults(last: number): { user: Required<StreamAcl>; system: Required<StreamAcl> } {
    const found = last < 0 ? undefined : this.store.find(this.store.streams.get(SETTINGS), last);
    const settings = found && recordedReader(found.block.frame(found.row)).data();
    return { user: { ...USER_STREAMS, ...aclIn(settings, '$userStreamAcl') }, system: { ...SYSTEM_STREAMS, ...aclIn(settings, '$systemStreamAcl') } };
  }
}

function aclIn(settings: Buffer | undefined, key: string): StreamAcl | undefined {
  if (settings === undefined) return undefined;
  try {
    const acl = (JSON.parse(settings.toString('utf8')) as Record<string, unknown> | null)?.[key];
    return parseMetadata(Buffer.from(JSON.stringify({ $acl: acl }))).acl;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
