import { describe, test } from '@jest/globals';
import { archiveProject, createProject, describeProject, unarchiveProject } from '../../../src/domain/projects/decisions.js';
import type { ProjectEvent } from '../../../src/domain/projects/events.js';
import { project } from '../../../src/domain/projects/state.js';
import { anyContext, specify } from '../../support/specify.js';

const given = specify(project);
const created: ProjectEvent = { type: 'ProjectCreated', data: { project: 'fraud', description: 'Card fraud' } };
const described: ProjectEvent = { type: 'ProjectDescribed', data: { project: 'fraud', description: 'All fraud' } };
const archived: ProjectEvent = { type: 'ProjectArchived', data: { project: 'fraud', reason: 'merged' } };
const unarchived: ProjectEvent = { type: 'ProjectUnarchived', data: { project: 'fraud', reason: 'needed again' } };

describe('creating a project', () => {
  test('makes it', () => given().when((state) => createProject(created.data, state, anyContext)).then(created));
  test('again with the same description changes nothing', () => given(created).when((state) => createProject(created.data, state, anyContext)).thenNothing());
  test('again with another description is refused', () =>
    given(created).when((state) => createProject({ project: 'fraud', description: 'Other' }, state, anyContext)).thenRefused('ALREADY_EXISTS', 'another description'));
  test('under an archived name is refused', () => given(created, archived).when((state) => createProject(created.data, state, anyContext)).thenRefused('ALREADY_EXISTS', 'archived'));
});

describe('describing a project', () => {
  test('changes its description', () => given(created).when((state) => describeProject(described.data, state, anyContext)).then(described));
  test('as it is already described changes nothing', () => given(created, described).when((state) => describeProject(described.data, state, anyContext)).thenNothing());
  test('that is absent is refused', () => given().when((state) => describeProject(described.data, state, anyContext)).thenRefused('NOT_FOUND'));
  test('that is archived is refused', () => given(created, archived).when((state) => describeProject(described.data, state, anyContext)).thenRefused('FAILED_PRECONDITION'));
});

describe('archiving a project', () => {
  test('ends it', () => given(created).when((state) => archiveProject(archived.data, state, anyContext)).then(archived));
  test('twice changes nothing', () => given(created, archived).when((state) => archiveProject(archived.data, state, anyContext)).thenNothing());
  test('that is absent is refused', () => given().when((state) => archiveProject(archived.data, state, anyContext)).thenRefused('NOT_FOUND'));
});

describe('unarchiving a project', () => {
  test('takes it back', () => given(created, archived).when((state) => unarchiveProject(unarchived.data, state, anyContext)).then(unarchived));
  test('that is active changes nothing', () => given(created, archived, unarchived).when((state) => unarchiveProject(unarchived.data, state, anyContext)).thenNothing());
  test('that is absent is refused', () => given().when((state) => unarchiveProject(unarchived.data, state, anyContext)).thenRefused('NOT_FOUND'));
  test('leaves it as it was described', () => given(created, described, archived, unarchived).when((state) => describeProject(described.data, state, anyContext)).thenNothing());
  test('lets it be archived again', () => given(created, archived, unarchived).when((state) => archiveProject(archived.data, state, anyContext)).then(archived));
});
