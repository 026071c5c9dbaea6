import { status, type ServerWritableStream, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Projections, ProjectionState } from '../projections/projections.js';
import { Refusal } from '../refusals.js';
import type { EventStore } from '../store/event-store.js';
import { bytesField, message, stringField, tag, varintField } from '../../protobuf.js';
import { NO_BYTES } from '../wire/recorded-event.js';
import { optionsOf } from '../wire/requests.js';
import { answer, asRefusal } from './calls.js';
import { method } from './method.js';

const path = (name: string): string => `/event_store.client.projections.Projections/${name}`;

/** Which projections a call is about: one by its name, or all of a mode. */
interface ProjectionRequest {
  readonly name: string;
  readonly lists: 'all' | 'continuous' | 'none';
}

/** The name, or the mode to list, in a request's options. */
function decodeRequest(bytes: Buffer): ProjectionRequest {
  let name = '';
  let lists: ProjectionRequest['lists'] = 'none';
  const options = optionsOf(bytes);
  while (options?.next()) {
    if (options.field === 1 && options.wireType === 2) name = options.text();
    else {
      if (options.field === 2) lists = 'all';
      else if (options.field === 4) lists = 'continuous';
      options.skip();
    }
  }
  return { name, lists };
}

const request = { request: decodeRequest };

export const projectionsDefinition: ServiceDefinition = {
  create: method(path('Create'), request),
  update: method(path('Update'), request),
  delete: method(path('Delete'), request),
  statistics: method(path('Statistics'), { ...request, responseStream: true }),
  disable: method(path('Disable'), request),
  enable: method(path('Enable'), request),
  reset: method(path('Reset'), request),
  state: method(path('State'), request),
  result: method(path('Result'), request),
  restartSubsystem: method(path('RestartSubsystem'), request),
};

/** Switches the system projections and tells how they stand. */
export function projectionsService(store: EventStore, projections: Projections): UntypedServiceImplementation {
  const switchTo = (isEnabled: boolean) =>
    answer(async ({ name }: ProjectionRequest) => {
      await projections.enable(find(projections, name), isEnabled);
      return NO_BYTES;
    });
  return {
    create: answer(() => Promise.reject(inJavaScript())),
    update: answer(() => Promise.reject(inJavaScript())),
    delete: answer(({ name }: ProjectionRequest) => {
      find(projections, name);
      throw new Refusal(status.INVALID_ARGUMENT, `The system projection ${name} cannot be deleted, only disabled.`);
    }),
    reset: answer(async ({ name }: ProjectionRequest) => {
      await projections.reset(find(projections, name));
      return NO_BYTES;
    }),
    enable: switchTo(true),
    disable: switchTo(false),
    statistics: (call: ServerWritableStream<ProjectionRequest, Buffer>) => sendStatistics(store, projections, call),
    // System projections only write links: their state is empty.
    state: answer(({ name }: ProjectionRequest) => (find(projections, name), emptyValue())),
    result: answer(({ name }: ProjectionRequest) => (find(projections, name), emptyValue())),
    restartSubsystem: answer(() => NO_BYTES),
  };
}

function sendStatistics(store: EventStore, projections: Projections, call: ServerWritableStream<ProjectionRequest, Buffer>): void {
  try {
    const { name, lists } = call.request;
    const states = name !== '' ? [find(projections, name)] : lists === 'none' ? [] : projections.states;
    for (const state of states) call.write(bytesField(1, details(state, store.log.end)));
    call.end();
  } catch (error) {
    call.emit('error', asRefusal(error));
  }
}

function find(projections: Projections, name: string): ProjectionState {
  const state = projections.find(name);
  if (state === undefined) throw new Refusal(status.NOT_FOUND, `There is no projection ${name}.`);
  return state;
}

const inJavaScript = (): Refusal => new Refusal(status.UNIMPLEMENTED, 'This node runs the system projections only, none in JavaScript.');

/** `google.protobuf.Value` of an empty struct, as field 1. */
const emptyValue = (): Buffer => bytesField(1, bytesField(5, NO_BYTES));

/** `StatisticsResp.Details`. */
function details({ projection, isEnabled, position, processed }: ProjectionState, end: number): Buffer {
  const reached = `C:${position}/P:${position}`;
  const progress = Buffer.alloc(5);
  progress[0] = tag(13, 5);
  progress.writeFloatLE(end <= 1 ? 100 : Math.min(100, (100 * position) / end), 1);
  return message(
    stringField(4, projection.name),
    stringField(8, isEnabled ? 'Running' : 'Stopped'),
    stringField(10, projection.name),
    stringField(11, 'Continuous'),
    stringField(12, reached),
    progress,
    stringField(14, reached),
    varintField(15, processed),
  );
}
