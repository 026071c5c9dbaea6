/** What a writer expects of the stream: a revision, that it is not there, that it is, or nothing. */
export type Expectation = number | 'any' | 'none' | 'exists';
