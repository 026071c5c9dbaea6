import type { Provider, Type } from '@nestjs/common';
import type { Core } from './core.js';
import { featureResolvers } from './graphql/features/resolvers.js';
import { featureTypeDefs } from './graphql/features/schema.js';
import { auditRpcs } from './grpc/audit/replay.js';
import { featureRpcs } from './grpc/features/handlers.js';
import { featureHistoryRpcs } from './grpc/features/history-rpcs.js';
import type { HandwrittenRpc } from './grpc/guard.js';
import type { Observer } from './observer.js';
import type { Resolvers } from './graphql/schema.js';
import { featureHistoryResolvers, featureHistoryTypeDefs } from './graphql/features/history.js';
import { FeatureHistoryController } from './rest/features/history-controller.js';
import { featureHistoryPaths } from './rest/features/history-openapi.js';
import { FeatureImportController } from './rest/features/import-controller.js';
import { featureImportPaths } from './rest/features/import-openapi.js';
import { FeastController } from './rest/feast/controller.js';
import { feastPaths } from './rest/feast/openapi.js';
import { FeatureExportController } from './rest/features/export-controller.js';
import { featureExportPaths } from './rest/features/export-openapi.js';
import { quarantineResolvers, quarantineTypeDefs } from './graphql/features/quarantine.js';
import { quarantineRpcs } from './grpc/features/quarantine.js';
import { QuarantineController } from './rest/features/quarantine-controller.js';
import { quarantinePaths } from './rest/features/quarantine-openapi.js';
import { FeatureRowsController } from './rest/features/controller.js';
import { featureRowsPaths } from './rest/features/openapi.js';
import { trainingSetResolvers, trainingSetTypeDefs } from './graphql/features/training-sets.js';
import { trainingSetRpcs } from './grpc/features/training-set-rpcs.js';
import { TrainingSetController } from './rest/features/training-set-controller.js';
import { trainingSetPaths } from './rest/features/training-set-openapi.js';

/** What a domain serves besides its derived operations: streams, uploads and the hottest reads. */
export interface Handwritten {
  /** The domain whose presence in the catalogue brings these along. */
  readonly domain: string;
  /** Nest controllers with REST routes. */
  readonly controllers?: readonly Type[];
  readonly providers?: readonly Provider[];
  /** What those routes take and give, as the `paths` of OpenAPI. */
  readonly openApiPaths?: Readonly<Record<string, object>>;
  /** Rpcs of the domain's service by name, as handlers of grpc-js itself; see grpcContext, observer.observe and grpcError. */
  readonly grpc?: (core: Core, observer: Observer) => Readonly<Record<string, HandwrittenRpc>>;
  /** More GraphQL: type definitions (`extend type Query { … }`) and their resolvers. */
  readonly graphql?: { readonly typeDefs: string; readonly resolvers: (core: Core, observer: Observer) => Resolvers };
}

/** The hand-written endpoints, one line a domain. */
export const handwritten: readonly Handwritten[] = [
  { domain: 'audit', grpc: auditRpcs },
  { domain: 'features', grpc: featureRpcs, controllers: [FeatureRowsController], openApiPaths: featureRowsPaths, graphql: { typeDefs: featureTypeDefs, resolvers: featureResolvers } },
  { domain: 'features', grpc: featureHistoryRpcs, controllers: [FeatureHistoryController], openApiPaths: featureHistoryPaths, graphql: { typeDefs: featureHistoryTypeDefs, resolvers: featureHistoryResolvers } },
  { domain: 'features', controllers: [FeatureExportController], openApiPaths: featureExportPaths },
  { domain: 'features', controllers: [FeatureImportController], openApiPaths: featureImportPaths },
  { domain: 'training-sets', grpc: trainingSetRpcs, controllers: [TrainingSetController], openApiPaths: trainingSetPaths, graphql: { typeDefs: trainingSetTypeDefs, resolvers: trainingSetResolvers } },
  { domain: 'features', controllers: [FeastController], openApiPaths: feastPaths },
  { domain: 'quarantine', grpc: quarantineRpcs, controllers: [QuarantineController], openApiPaths: quarantinePaths, graphql: { typeDefs: quarantineTypeDefs, resolvers: quarantineResolvers } },
];
