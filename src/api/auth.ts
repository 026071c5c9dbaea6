import type { HeaderReader } from './context.js';

/** The API key that a request carries, as `Authorization: Bearer <key>` or `X-API-Key: <key>`. */
export function apiKeyOf(header: HeaderReader): string | undefined {
  const authorization = header('authorization');
  if (!authorization) return header('x-api-key');
  return /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
}

/** The key as a browser sends it after asking for one: the password of HTTP Basic. Only the documentation takes it. */
export function basicKeyOf(header: HeaderReader): string | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header('authorization') ?? '') ?? [];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString().split(':').slice(1).join(':');
}
