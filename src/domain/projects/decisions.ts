import { Refusal, type Decide } from '../kit/index.js';
import type { ProjectEvent } from './events.js';
import type { Project } from './state.js';

type ProjectDecision<Input> = Decide<{ project: string } & Input, Project, ProjectEvent>;

/** Creating again with the same description is the same wish; with another it is a clash of names. */
export const createProject: ProjectDecision<{ description: string }> = (input, state) => {
  switch (state.status) {
    case 'absent':
      return [{ type: 'ProjectCreated', data: input }];
    case 'active':
      if (state.description === input.description) return [];
      throw new Refusal('ALREADY_EXISTS', `Project ${input.project} exists with another description`, { reason: 'PROJECT_EXISTS' });
    case 'archived':
      throw new Refusal('ALREADY_EXISTS', `Project ${input.project} is archived; unarchive it, or take another name`, { reason: 'PROJECT_ARCHIVED' });
  }
};

export const describeProject: ProjectDecision<{ description: string }> = (input, state) => {
  switch (state.status) {
    case 'absent':
      throw projectAbsent(input.project);
    case 'archived':
      throw projectArchived(input.project);
    case 'active':
      return state.description === input.description ? [] : [{ type: 'ProjectDescribed', data: input }];
  }
};

export const archiveProject: ProjectDecision<{ reason: string }> = (input, state) => {
  switch (state.status) {
    case 'absent':
      throw projectAbsent(input.project);
    case 'archived':
      return [];
    case 'active':
      return [{ type: 'ProjectArchived', data: input }];
  }
};

/** The project goes on as it was archived: what was in it was never gone. */
export const unarchiveProject: ProjectDecision<{ reason: string }> = (input, state) => {
  switch (state.status) {
    case 'absent':
      throw projectAbsent(input.project);
    case 'active':
      return [];
    case 'archived':
      return [{ type: 'ProjectUnarchived', data: input }];
  }
};

/** Whatever lives in a project changes only while the project is active. */
export function requireActive(project: string, state: Project): void {
  if (state.status === 'absent') throw projectAbsent(project);
  if (state.status === 'archived') throw projectArchived(project);
}

const projectAbsent = (project: string) => new Refusal('NOT_FOUND', `Project ${project} does not exist`, { reason: 'PROJECT_NOT_FOUND' });
const projectArchived = (project: string) =>
  new Refusal('FAILED_PRECONDITION', `Project ${project} is archived`, { reason: 'PROJECT_ARCHIVED' });
