import { Refusal } from '../../domain/kit/index.js';

/** Why a body that is compressed is refused, which would else be taken for something else; nothing where it is not. */
export function encodingFault({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): Refusal | undefined {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return undefined;
  return new Refusal('INVALID_ARGUMENT', `A body with the Content-Encoding ${String(encoding)} is not taken; send it as it is`, { reason: 'UNSUPPORTED_MEDIA_TYPE' });
}
