import { z } from 'zod';
import { defineQuery } from '../kit/query.js';
import { operation, operationList, parkedKeyList, viewStatusList } from './answers.js';

/** They answer from the engine's own tables, which wait for nothing. */
const ofEngine = { permission: 'projections.read', views: [] } as const;

export const projectionQueries = [
  defineQuery({
    ...ofEngine,
    name: 'ListProjections',
    summary: 'Every read model: version, position, lag, rate, the process that projects each slice, and whether it is what the log gives',
    http: { method: 'GET', path: '/api/v1/projections' },
    input: z.object({}),
    output: viewStatusList,
    run: async (_, { projections }) => ({ projections: [...(await projections.status())] }),
  }),
  defineQuery({
    ...ofEngine,
    name: 'ListOperations',
    summary: 'The newest operations on read models, newest first',
    http: { method: 'GET', path: '/api/v1/operations' },
    input: z.object({}),
    output: operationList,
    run: async (_, { projections }) => ({ operations: [...(await projections.operations())] }),
  }),
  defineQuery({
    ...ofEngine,
    name: 'GetOperation',
    summary: 'How far an operation is, what it has found, and how it ended',
    http: { method: 'GET', path: '/api/v1/operations/{id}' },
    input: z.object({ id: z.string().min(1).max(128) }),
    output: operation,
    run: async ({ id }, { projections }) => projections.operation(id),
  }),
  defineQuery({
    ...ofEngine,
    name: 'ListParkedKeys',
    summary: 'The keys that wait because their view cannot take an event',
    http: { method: 'GET', path: '/api/v1/projections/{view}/parked' },
    input: z.object({ view: z.string().min(1).max(128).describe('The name of a view, or `-` for all.') }),
    output: parkedKeyList,
    run: async ({ view }, { projections }) => ({ parked: [...(await projections.parked(view === '-' ? {} : { view }))] }),
  }),
] as const;
