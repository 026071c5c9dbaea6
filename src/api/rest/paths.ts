/** The fields that a route's path names. */
export const pathFields = (path: string): readonly string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

/**
 * A route as Fastify's router reads it. A name ends at the next slash or colon, so that `{project}:archive` is the verb
 * `archive` of a project and never a project of that name; names themselves hold no colon.
 */
export const routerPath = (path: string): string => path.replace(/:/g, '::').replace(/\{(\w+)\}/g, ':$1([^/:]+)');

/** The same for a route whose group may be one of another project, sent as `fraud%2Fcards`. */
export const sharedGroupPath = (path: string): string => routerPath(path).replace(':group([^/:]+)', ':group([^:]+)');

/** Tells whether a URL's path is one of this route, whatever its method. */
export function pathMatcher(path: string): RegExp {
  const pattern = path.split(/\{\w+\}/).map((text) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&')).join('[^/:]+');
  return new RegExp(`^${pattern}$`);
}
