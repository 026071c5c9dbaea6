/**
 * What to start Node with for a node's own process. Its live heap is some 30 MB; without bounds V8 lets short-lived
 * bytes pile up to several times that before it looks for them. So small a heap is collected in a few milliseconds by
 * the main thread alone; with threads of their own beside it, the collector took two cores from everybody for longer. The
 * events of a large append are written within 8 MB of allocations; with less room they were taken for old objects, and
 * looking through those cost a fifth of the append.
 */
export const MEMORY_FLAGS = ['--max-old-space-size=160', '--max-semi-space-size=8', '--single-threaded-gc'] as const;
