import { z } from 'zod';
import { featureGroupShared, featureGroupUnshared } from '../../../domain/features/events.js';
import { defineView } from '../../engine/define.js';

/** A group that a project may read although it is another's: the row of the view, and the answer on every wire. */
export const sharedGroupRow = z
  .object({
    /** The project that may read it. */
    project: z.string(),
    name: z.string().describe('As that project names it: fraud/cards.'),
    owner: z.string().describe('The project whose group it is.'),
    group: z.string(),
    sharedAt: z.iso.datetime(),
    sharedBy: z.string(),
  })
  .meta({ id: 'SharedFeatureGroup' });

/** The same as the project sees it whose group it is. */
export const groupShare = z
  .object({ project: z.string(), group: z.string(), withProject: z.string().describe('The project that may read it.'), sharedAt: z.iso.datetime(), sharedBy: z.string() })
  .meta({ id: 'FeatureGroupShare' });

/** One row a group and a project that it is shared with. */
export const featureGroupSharesView = defineView({
  name: 'feature-group-shares',
  version: 2,
  table: 'feature_group_shares',
  history: true,
  row: sharedGroupRow,
  key: ['project', 'name'],
  events: [featureGroupShared, featureGroupUnshared],
  keyOf: ({ data: { project, group, withProject } }) => ({ project: withProject, name: `${project}/${group}` }),
  on: {
    FeatureGroupShared: (_, { project, group, withProject }, info) => ({ project: withProject, name: `${project}/${group}`, owner: project, group, sharedAt: info.recordedAt, sharedBy: info.actor }),
    FeatureGroupUnshared: () => undefined,
  },
});
