/**
 * A Postgres array of texts, as text. JSON escapes quotes and backslashes just as array literals do, and much faster than
 * the driver; the texts must be free of control characters, which encoded keys and values are, being JSON themselves.
 */
export const arrayText = (texts: readonly (string | null)[]): string => `{${textsInArray(texts)}}`;

/** The same without the braces around it. */
export const textsInArray = (texts: readonly (string | null)[]): string => JSON.stringify(texts).slice(1, -1);
