import { defineDecider } from '../kit/index.js';
import { projectEvents } from './events.js';

export type Project = { status: 'absent' } | { status: 'active'; description: string } | { status: 'archived'; description: string };

export const projectStream = (project: string): string => `project-${project}`;

export const project = defineDecider({
  category: 'project',
  events: projectEvents,
  initialState: { status: 'absent' } as Project,
  on: {
    ProjectCreated: (_, { description }) => ({ status: 'active', description }),
    ProjectDescribed: (state, { description }) => ({ ...state, description }) as Project,
    ProjectArchived: (state) => ({ status: 'archived', description: state.status === 'absent' ? '' : state.description }),
  },
});
