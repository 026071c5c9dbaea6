import { z } from 'zod';
import { description, resourceName } from '../domain/kit/index.js';
import { archiveProject, createProject, describeProject, unarchiveProject } from '../domain/projects/decisions.js';
import { project, projectStream } from '../domain/projects/state.js';
import { defineCommand } from './kit/command.js';

const ofProject = {
  permission: 'projects.write',
  decider: project,
  stream: (input: { project: string }) => projectStream(input.project),
  inActiveProject: false,
} as const;

export const projectCommands = [
  defineCommand({
    ...ofProject,
    name: 'CreateProject',
    summary: 'Creates a project, the home of everything else',
    http: { method: 'POST', path: '/api/v1/projects' },
    input: z.object({ project: resourceName, description: description.default('') }),
    decide: createProject,
    creates: true,
  }),
  defineCommand({
    ...ofProject,
    name: 'DescribeProject',
    summary: 'Changes what a project says about itself',
    http: { method: 'POST', path: '/api/v1/projects/{project}:describe' },
    input: z.object({ project: resourceName, description }),
    decide: describeProject,
  }),
  defineCommand({
    ...ofProject,
    name: 'ArchiveProject',
    summary: 'Ends a project: all of it stays readable, nothing in it changes any more until it is unarchived',
    http: { method: 'POST', path: '/api/v1/projects/{project}:archive' },
    input: z.object({ project: resourceName, reason: z.string().min(1).max(1024) }),
    decide: archiveProject,
  }),
  defineCommand({
    ...ofProject,
    name: 'UnarchiveProject',
    summary: 'Takes an archived project back: it goes on as it was',
    http: { method: 'POST', path: '/api/v1/projects/{project}:unarchive' },
    input: z.object({ project: resourceName, reason: z.string().min(1).max(1024) }),
    decide: unarchiveProject,
  }),
] as const;
