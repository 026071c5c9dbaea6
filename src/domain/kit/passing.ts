import type { Refusal, RefusalCode } from './refusal.js';

const passing: ReadonlySet<RefusalCode> = new Set(['ABORTED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'CANCELLED']);

/** Whether the same command may be let through another time; any other refusal is final. */
export const isPassing = ({ code }: Refusal): boolean => passing.has(code);
