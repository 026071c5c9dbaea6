import { Refusal, same, type Decide } from '../../kit/index.js';
import type { FeatureServiceEvent } from './events.js';
import type { FeatureService, FeatureServiceDefinition } from './state.js';

type OfService = { project: string; service: string };
type ServiceDecision<Input> = Decide<OfService & Input, FeatureService, FeatureServiceEvent>;

/** Creating again as the service now stands is the same wish; anything else is a clash of names. */
export const createFeatureService: ServiceDecision<FeatureServiceDefinition> = (input, state) => {
  switch (state.status) {
    case 'absent':
      return [{ type: 'FeatureServiceCreated', data: input as never }];
    case 'active':
      if (same(input, state.definition)) return [];
      throw new Refusal('ALREADY_EXISTS', `Feature service ${input.service} exists with another definition`, { reason: 'FEATURE_SERVICE_EXISTS' });
    case 'archived':
      throw new Refusal('ALREADY_EXISTS', `Feature service ${input.service} is archived; its name is not given again`, { reason: 'FEATURE_SERVICE_ARCHIVED' });
  }
};

/** Applies to every read from now on; what was known before is read with the features of then. */
export const changeFeatureService: ServiceDecision<{ features: string[]; fullNames: boolean }> = (input, state) => {
  const { features, fullNames } = requireActiveService(input, state);
  return same({ features, fullNames }, { features: input.features, fullNames: input.fullNames }) ? [] : [{ type: 'FeatureServiceChanged', data: input }];
};

export const describeFeatureService: ServiceDecision<{ owner: string; description: string; tags: Record<string, string> }> = (input, state) => {
  const { owner, description, tags } = requireActiveService(input, state);
  const asItIs = same({ owner, description, tags }, { owner: input.owner, description: input.description, tags: input.tags });
  return asItIs ? [] : [{ type: 'FeatureServiceDescribed', data: input }];
};

export const archiveFeatureService: ServiceDecision<{ reason: string }> = (input, state) => {
  switch (state.status) {
    case 'absent':
      throw serviceAbsent(input);
    case 'archived':
      return [];
    case 'active':
      return [{ type: 'FeatureServiceArchived', data: input }];
  }
};

/** The definition of a service that may be read, archived or not. */
export function requireService(name: OfService, state: FeatureService): FeatureServiceDefinition {
  if (state.status === 'absent') throw serviceAbsent(name);
  return state.definition;
}

function requireActiveService(name: OfService, state: FeatureService): FeatureServiceDefinition {
  const definition = requireService(name, state);
  if (state.status === 'active') return definition;
  throw new Refusal('FAILED_PRECONDITION', `Feature service ${name.service} is archived`, { reason: 'FEATURE_SERVICE_ARCHIVED' });
}

const serviceAbsent = ({ project, service }: OfService) =>
  new Refusal('NOT_FOUND', `Feature service ${service} does not exist in project ${project}`, { reason: 'FEATURE_SERVICE_NOT_FOUND', metadata: { service } });
