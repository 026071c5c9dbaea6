import { expect, test } from '@jest/globals';
import { buildSchema, validateSchema } from 'graphql';
import { graphqlAdditions } from '../../src/api/graphql/additions.js';
import { sdlOf } from '../../src/api/graphql/schema.js';
import { operationsOf } from '../../src/api/operations.js';
import { openApiDocument } from '../../src/api/rest/docs-controller.js';
import { catalogue } from '../../src/catalogue.js';
import { expectGolden } from '../support/golden.js';

const operations = operationsOf(catalogue);

test('the OpenAPI document changes only on purpose', () => {
  expectGolden('openapi.json', `${JSON.stringify(openApiDocument(operations), null, 2)}\n`);
});

test('the GraphQL schema is valid and changes only on purpose', () => {
  const sdl = sdlOf(operations, graphqlAdditions(catalogue).map(({ typeDefs }) => typeDefs));
  expect(validateSchema(buildSchema(sdl))).toEqual([]);
  expectGolden('schema.graphql', sdl);
});
