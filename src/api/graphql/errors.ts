import { GraphQLError } from 'graphql';
import { Refusal } from '../../domain/kit/index.js';
import { failureOf } from '../errors.js';
import { httpStatusOf, restError } from '../rest/problem.js';

/** An error as GraphQL clients get it. */
export interface FormattedError {
  readonly message: string;
  readonly locations?: unknown;
  readonly path?: unknown;
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** Formats what a request ended with; `status` is that of an answer without data. */
export function formatErrors(errors: readonly unknown[], traceId: string, executed: boolean): { readonly status: number; readonly causes: readonly unknown[]; readonly errors: readonly FormattedError[] } {
  const flat = errors.flatMap((error) => validationErrorsOf(error) ?? [error]);
  const causes = flat.map((error) => causeOf(error, executed));
  const failures = causes.map(failureOf);
  return {
    status: failures[0] ? httpStatusOf(failures[0]) : 500,
    causes,
    errors: failures.map(({ code, message, reason, fields, metadata }, index) => {
      const { locations, path } = flat[index] as Partial<GraphQLError>;
      return {
        message,
        ...(locations && { locations }),
        ...(path && { path }),
        extensions: { code, ...(reason !== undefined && { reason }), ...(fields.length > 0 && { fields }), ...(Object.keys(metadata).length > 0 && { metadata }), traceId },
      };
    }),
  };
}

/** Mercurius wraps all that is wrong with a document into one error. */
function validationErrorsOf(error: unknown): readonly unknown[] | undefined {
  const { errors, originalError } = error as { errors?: unknown; originalError?: { errors?: unknown } };
  const wrapped = originalError?.errors ?? errors;
  return Array.isArray(wrapped) ? wrapped : undefined;
}

/** What lies behind an error: a refusal where the caller is to blame, and the error itself where we are. */
function causeOf(error: unknown, executed: boolean): unknown {
  const original = (error as Partial<GraphQLError>).originalError;
  const cause = restError(original ?? error);
  // Before execution GraphQL only complains about the document and its variables.
  if (cause instanceof Refusal || executed) return cause;
  const { statusCode, message, instancePath } = cause as { statusCode?: number; message: string; instancePath?: unknown };
  const ofCaller = cause instanceof GraphQLError || instancePath !== undefined || (statusCode !== undefined && statusCode < 500);
  return ofCaller ? new Refusal('INVALID_ARGUMENT', message, { reason: 'INVALID_QUERY' }) : cause;
}
