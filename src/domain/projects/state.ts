import { defineDecider } from '../kit/index.js';
import { projectEvents } from './events.js';

export type Project = { status: 'absent' } | { status: 'active'; description: string } | { status: 'archived'; description: string };

export const projectStream = (project: string): string => `project-${project}`;

const initialState = { status: 'absent' } as Project;

export const project = defineDecider({
  category: 'project',
  events: projectEvents,
  initialState,
  on: {
    ProjectCreated: (_, { description }): Project => ({ status: 'active', description }),
    ProjectDescribed: (state, { description }): Project => (state.status === 'active' ? { ...state, description } : state),
    ProjectArchived: (state): Project => ({ status: 'archived', description: state.status === 'absent' ? '' : state.description }),
    ProjectUnarchived: (state): Project => ({ status: 'active', description: state.status === 'absent' ? '' : state.description }),
  },
});
