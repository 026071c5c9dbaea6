import { hash, randomBytes } from 'node:crypto';

const cookieName = 'tarl_jobs';
const lasts_s = 8 * 3600;
const mostSessions = 1_000;

/** Browsers that have shown a key. The cookie holds random bytes; the key itself stays in this process' memory and is asked for its rights anew at each request. */
export class Sessions {
  private readonly keys = new Map<string, { readonly key: string; readonly until: number }>();

  /** Begins a session and gives the value of Set-Cookie: no script can read it, and no other site can have it sent. */
  begin(key: string, isSecure: boolean): string {
    const token = randomBytes(32).toString('base64url');
    this.keys.set(hashOf(token), { key, until: Date.now() + lasts_s * 1000 });
    if (this.keys.size > mostSessions) this.keys.delete(this.keys.keys().next().value!);
    return cookie(token, lasts_s, isSecure);
  }

  /** The key behind the cookies of a request. */
  keyOf(cookies: string | undefined): string | undefined {
    const session = this.keys.get(hashOf(tokenIn(cookies)));
    return session && session.until > Date.now() ? session.key : undefined;
  }

  /** Ends the session, and gives the Set-Cookie that makes the browser forget it. */
  end(cookies: string | undefined, isSecure: boolean): string {
    this.keys.delete(hashOf(tokenIn(cookies)));
    return cookie('', 0, isSecure);
  }
}

const hashOf = (token: string): string => hash('sha256', token, 'base64url');
const tokenIn = (cookies = ''): string => new RegExp(`(?:^|; *)${cookieName}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(cookies)?.[1] ?? '';
const cookie = (value: string, seconds: number, isSecure: boolean): string => `${cookieName}=${value}; Path=/jobs; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
