import { createHmac, randomBytes } from 'node:crypto';
import type { EventStore } from '../store/event-store.js';
import { hashPassword, isPassword, type PasswordHash } from './passwords.js';

/** Someone who may log in. */
export interface User {
  readonly login: string;
  readonly fullName: string;
  readonly groups: readonly string[];
  readonly disabled: boolean;
  readonly updatedMs: number;
}

type StoredUser = User & PasswordHash;

/** Who is there at first, with the passwords of the real server: to be changed. */
const FIRST: readonly Pick<User, 'login' | 'fullName' | 'groups'>[] = [
  { login: 'admin', fullName: 'Event Store Administrator', groups: ['$admins'] },
  { login: 'ops', fullName: 'Event Store Operations', groups: ['$ops'] },
];
const FIRST_PASSWORD = 'changeit';
const PREFIX = 'user/';
/** Log-ins that are remembered, right ones and wrong ones. */
const REMEMBERED = 1_000;

/** The users of a store. */
export class Users {
  /** Log-ins that were checked or are being checked, by a keyed hash: a password is to be slow to check once, not with every call, nor for each of many at once. */
  private readonly checked = new Map<string, Promise<User | undefined>>();
  private readonly secret = randomBytes(32);

  private constructor(private readonly store: EventStore) {}

  /** The users of a store; the first ones are made when it has none. */
  static async of(store: EventStore): Promise<Users> {
    const users = new Users(store);
    if (users.all().length === 0) for (const user of FIRST) await users.create(user, FIRST_PASSWORD);
    return users;
  }

  all(): User[] {
    return this.store.settings(PREFIX).map(parse);
  }

  get(login: string): User | undefined {
    return this.stored(login);
  }

  async create(user: Pick<User, 'login' | 'fullName' | 'groups'>, password: string): Promise<void> {
    await this.put({ ...user, disabled: false, updatedMs: 0, ...(await hashPassword(password)) });
  }

  /** Changes what is named of a user. */
  async change(login: string, change: Partial<Pick<User, 'fullName' | 'groups' | 'disabled'>>, password?: string): Promise<void> {
    await this.put({ ...this.stored(login)!, ...change, ...(password !== undefined && (await hashPassword(password))) });
  }

  async remove(login: string): Promise<void> {
    this.checked.clear();
    await this.store.set(PREFIX + login, undefined);
    this.checked.clear();
  }

  /** The user whose password this is. */
  logIn(login: string, password: string): Promise<User | undefined> {
    const key = createHmac('sha256', this.secret).update(`${login}\0${password}`).digest('base64');
    const known = this.checked.get(key);
    if (known !== undefined) return known;
    if (this.checked.size >= REMEMBERED) this.checked.clear();
    const checking = this.check(login, password).catch((error: unknown) => {
      this.checked.delete(key);
      throw error;
    });
    this.checked.set(key, checking);
    return checking;
  }

  private async check(login: string, password: string): Promise<User | undefined> {
    const user = this.stored(login);
    if (user === undefined || user.disabled || !(await isPassword(password, user))) return undefined;
    // It may have been changed or disabled while its password was checked.
    const now = this.stored(login);
    return now?.hash === user.hash && !now.disabled ? now : undefined;
  }

  private stored(login: string): StoredUser | undefined {
    const value = this.store.setting(PREFIX + login);
    return value && parse(value);
  }

  private async put(user: StoredUser): Promise<void> {
    await this.store.set(PREFIX + user.login, Buffer.from(JSON.stringify({ ...user, updatedMs: Date.now() })));
    this.checked.clear();
  }
}

const parse = (value: Buffer): StoredUser => JSON.parse(value.toString('utf8')) as StoredUser;
