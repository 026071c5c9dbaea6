/** The layers of the architecture; `npm test` holds them. */
export default {
  forbidden: [
    { name: 'domain-is-pure', comment: 'The domain imports zod and itself only, and what reads regular expressions and arithmetic.', severity: 'error', from: { path: '^src/domain' }, to: { pathNot: ['^src/domain', 'node_modules/zod', 'node_modules/re2js', 'node_modules/jsep'] } },
    { name: 'domains-apart', comment: 'Domains do not import each other.', severity: 'error', from: { path: '^src/domain/([^/]+)/', pathNot: '^src/domain/kit/' }, to: { path: '^src/domain/([^/]+)/', pathNot: ['^src/domain/$1/', '^src/domain/kit/'] } },
    { name: 'nest-only-wires', comment: 'Nest wires; it does not think.', severity: 'error', from: { path: '^src', pathNot: ['^src/(api|platform|cli)/', '^src/(app\\.module|main)\\.ts$'] }, to: { path: 'node_modules/@nestjs' } },
    { name: 'client-behind-the-port', comment: 'Only the port and the embedded node know the EventStoreDB client.', severity: 'error', from: { path: '^src', pathNot: '^src/platform/eventstore/' }, to: { path: 'node_modules/@eventstore' } },
    { name: 'platform-knows-no-domain', severity: 'error', from: { path: '^src/platform' }, to: { path: '^src/(domain/(?!kit)|commands|projections/(?!engine|kit)|api|cli)' } },
    { name: 'no-api-below', comment: 'What is asked and known does not know how it is reached.', severity: 'error', from: { path: '^src/(domain|commands|projections)' }, to: { path: '^src/(api|cli)', dependencyTypesNot: ['type-only'] } },
    { name: 'no-cycles', severity: 'error', from: { path: '^src' }, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' }, moduleSystems: ['es6', 'cjs'] },
};
