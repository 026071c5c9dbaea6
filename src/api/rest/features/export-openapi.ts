import { callerHeaders, inPath } from '../openapi-parts.js';
import { tableContent } from './history-openapi.js';

const text = { type: 'string' };

/** The address of FeatureExportController. */
export const featureExportPaths = {
  '/api/v1/projects/{project}/feature-groups/{group}/rows:export': {
    get: {
      operationId: 'exportFeatureRows',
      summary: 'The latest row of every entity of a group; `group@2` for a version, `fraud%2Fcards` for one that another project shares',
      tags: ['features'],
      parameters: [
        inPath('project'), inPath('group'),
        { name: 'features', in: 'query', required: false, description: 'Once for each feature; all where there is none.', schema: { type: 'array', items: text } },
        ...callerHeaders.query,
      ],
      responses: { 200: { description: 'One row after another by key, in the format that Accept names; of a group with a TTL with `_outside_max_age`. The time is `event_time`, or `_event_time` beside a key or feature of that name', content: tableContent }, default: { $ref: '#/components/responses/Problem' } },
    },
  },
};
