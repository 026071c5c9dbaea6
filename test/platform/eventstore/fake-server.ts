import gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import cluster from '@eventstore/db-client/generated/gossip_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import pb from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq, BatchAppendResp, ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { Server, ServerCredentials, type sendUnaryData, type ServerDuplexStream, type ServerWritableStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import any from 'google-protobuf/google/protobuf/any_pb.js';

export type AppendsCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;
export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

export interface FakeEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly type: string;
  readonly data: Uint8Array;
}

/** What a test makes the server do instead of answering; each gets every call of its kind. */
export interface Faults {
  onAppend?: (request: BatchAppendReq, call: AppendsCall, answer: () => BatchAppendResp) => void;
  onRead?: (call: ReadCall, answer: () => void) => void;
}

/** A server of a few events in memory that can be told to misbehave as a real one does in its worst hour. */
export class FakeServer {
  readonly events: FakeEvent[] = [];
  readonly appendCalls = new Set<AppendsCall>();
  readonly readCalls = new Set<ReadCall>();
  /** Calls that the client, not the server, has ended. */
  cancelledReads = 0;
  port = 0;
  /** The ports of the others of its cluster, of which it is the leader. */
  followers: readonly number[] = [];
  faults: Faults = {};
  private server: Server | undefined;

  async start(credentials = ServerCredentials.createInsecure()): Promise<this> {
    const server = new Server();
    server.addService(gossip.GossipService as never, { read: (_: unknown, answer: sendUnaryData<ClusterInfo>) => answer(null, clusterOf(this.port, this.followers)) });
    server.addService(services.StreamsService as never, {
      batchAppend: (call: AppendsCall) => this.serveAppends(call),
      read: (call: ReadCall) => this.serveRead(call),
    } as unknown as UntypedServiceImplementation);
    this.port = await new Promise((resolve, reject) =>
      server.bindAsync(`127.0.0.1:${this.port}`, credentials, (error, port) => (error ? reject(error) : resolve(port))),
    );
    this.server = server;
    return this;
  }

  /** Drops every connection, as a killed process does. */
  stop(): void {
    this.server?.forceShutdown();
    this.server = undefined;
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  write(stream: string, id: string, type: string, data: Uint8Array): FakeEvent {
    const event = { id, stream, type, data, revision: this.ofStream(stream).length, position: (this.events.length + 1) * 100 };
    this.events.push(event);
    return event;
  }

  ofStream(stream: string): FakeEvent[] {
    return this.events.filter((event) => event.stream === stream);
  }

  private serveAppends(call: AppendsCall): void {
    this.appendCalls.add(call);
    call.on('data', (request: BatchAppendReq) => {
      const answer = () => this.appended(request);
      if (this.faults.onAppend) this.faults.onAppend(request, call, answer);
      else call.write(answer());
    });
    call.on('end', () => call.end());
    call.on('close', () => this.appendCalls.delete(call));
    call.on('error', () => this.appendCalls.delete(call));
  }

  /** Checks exact revisions, recognises a repeated append, and writes. */
  private appended(request: BatchAppendReq): BatchAppendResp {
    const options = request.getOptions()!;
    const stream = nameOf(options.getStreamIdentifier());
    const there = this.ofStream(stream);
    const proposed = request.getProposedMessagesList();
    const expected = options.hasNoStream() ? -1 : options.hasStreamPosition() ? Number(options.getStreamPosition()) : there.length - 1;
    const response = new pb.BatchAppendResp();
    response.setCorrelationId(request.getCorrelationId());
    response.setStreamIdentifier(options.getStreamIdentifier());
    const repeated = proposed.every((message, index) => there[expected + 1 + index]?.id === message.getId()!.getString());
    if (expected !== there.length - 1 && !repeated) {
      response.setError(wrongRevision(there.length - 1));
      return response;
    }
    if (!repeated) {
      for (const message of proposed) this.write(stream, message.getId()!.getString(), message.getMetadataMap().get('type')!, message.getData_asU8());
    }
    const last = this.ofStream(stream)[expected + proposed.length]!;
    const success = new pb.BatchAppendResp.Success();
    success.setCurrentRevision(`${last.revision}`);
    const position = new shared.AllStreamPosition();
    position.setCommitPosition(`${last.position}`);
    position.setPreparePosition(`${last.position}`);
    success.setPosition(position);
    response.setSuccess(success);
    return response;
  }

  private serveRead(call: ReadCall): void {
    this.readCalls.add(call);
    call.on('cancelled', () => this.cancelledReads++);
    call.on('close', () => this.readCalls.delete(call));
    call.on('error', () => this.readCalls.delete(call));
    const answer = () => this.answerRead(call);
    if (this.faults.onRead) this.faults.onRead(call, answer);
    else answer();
  }

  private answerRead(call: ReadCall): void {
    if (call.request.getOptions()!.hasSubscription()) {
      call.write(confirmation());
      for (const event of this.asked(call.request)) call.write(eventMessage(event));
      call.write(caughtUp());
      return;
    }
    const stream = call.request.getOptions()!.getStream();
    if (stream && this.ofStream(nameOf(stream.getStreamIdentifier())).length === 0) call.write(notFound());
    for (const event of this.asked(call.request)) call.write(eventMessage(event));
    call.end();
  }

  /** The events that a request is about. */
  asked(request: ReadReq): FakeEvent[] {
    const options = request.getOptions()!;
    const backwards = options.getReadDirection() === 1;
    const ofStream = options.getStream();
    const events = ofStream ? this.ofStream(nameOf(ofStream.getStreamIdentifier())) : [...this.events];
    if (backwards) events.reverse();
    const position = options.getAll()?.getPosition();
    const after = (event: FakeEvent) => {
      if (ofStream?.hasRevision()) return backwards ? event.revision <= Number(ofStream.getRevision()) : event.revision >= Number(ofStream.getRevision());
      if (!position) return true;
      const at = Number(position.getCommitPosition());
      if (options.hasSubscription()) return event.position > at;
      return backwards ? event.position < at : event.position >= at;
    };
    return events.filter(after).slice(0, options.hasCount() ? Number(options.getCount()) : undefined);
  }
}

export function eventMessage(event: FakeEvent): ReadResp {
  const recorded = new pb.ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString(event.id);
  const stream = new shared.StreamIdentifier();
  stream.setStreamName(Buffer.from(event.stream));
  recorded.setId(id);
  recorded.setStreamIdentifier(stream);
  recorded.setStreamRevision(`${event.revision}`);
  recorded.setCommitPosition(`${event.position}`);
  recorded.setPreparePosition(`${event.position}`);
  recorded.getMetadataMap().set('type', event.type).set('content-type', 'application/json').set('created', '17000000000000000');
  recorded.setData(event.data);
  const read = new pb.ReadResp.ReadEvent();
  read.setEvent(recorded);
  read.setCommitPosition(`${event.position}`);
  const response = new pb.ReadResp();
  response.setEvent(read);
  return response;
}

export function caughtUp(): ReadResp {
  const response = new pb.ReadResp();
  response.setCaughtUp(new pb.ReadResp.CaughtUp());
  return response;
}

export function checkpoint(position: number): ReadResp {
  const response = new pb.ReadResp();
  const at = new pb.ReadResp.Checkpoint();
  at.setCommitPosition(`${position}`);
  at.setPreparePosition(`${position}`);
  response.setCheckpoint(at);
  return response;
}

export function confirmation(): ReadResp {
  const response = new pb.ReadResp();
  const confirmed = new pb.ReadResp.SubscriptionConfirmation();
  confirmed.setSubscriptionId('s');
  response.setConfirmation(confirmed);
  return response;
}

function notFound(): ReadResp {
  const response = new pb.ReadResp();
  response.setStreamNotFound(new pb.ReadResp.StreamNotFound());
  return response;
}

/** A cluster of one leader. */
function clusterOf(leader: number, followers: readonly number[]): ClusterInfo {
  const { LEADER, FOLLOWER } = cluster.MemberInfo.VNodeState;
  const info = new cluster.ClusterInfo();
  for (const [port, state] of [[leader, LEADER], ...followers.map((port) => [port, FOLLOWER])] as [number, typeof LEADER | typeof FOLLOWER][]) {
    const endPoint = new cluster.EndPoint();
    endPoint.setAddress('127.0.0.1');
    endPoint.setPort(port);
    const member = new cluster.MemberInfo();
    member.setState(state);
    member.setIsAlive(true);
    member.setHttpEndPoint(endPoint);
    info.addMembers(member);
  }
  return info;
}

function wrongRevision(actual: number) {
  const wrong = new shared.WrongExpectedVersion();
  if (actual >= 0) wrong.setCurrentStreamRevision(`${actual}`);
  const details = new any.Any();
  details.pack(wrong.serializeBinary(), 'event_store.client.WrongExpectedVersion');
  const error = new statuses.Status();
  error.setCode(6);
  error.setDetails(details);
  return error;
}

function nameOf(identifier: { getStreamName_asU8(): Uint8Array } | undefined): string {
  return Buffer.from(identifier!.getStreamName_asU8()).toString('utf8');
}
