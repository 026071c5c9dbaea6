import { EventStoreDBClient, NotLeaderError } from '@eventstore/db-client';
import { Channel, type CallOptions, type ChannelCredentials, type ChannelOptions, type Metadata } from '@grpc/grpc-js';
import grpcStreams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { readAnswer } from './read-answer.js';
import { EventStoreRefused, EventStoreUnavailable } from './errors.js';

/** What of the client's protected side the port builds on; 6.2.1 is pinned, and the contract suite notices a change. */
interface ClientInside {
  GRPCStreamCreator<T>(service: typeof StreamsClient, name: string, open: (streams: StreamsClient) => T): () => Promise<T>;
  callArguments(base: object, options: CallOptions): [Metadata, CallOptions];
  createChannel(): Promise<Channel>;
}

/** What the client keeps to itself of a channel that it has made; grpc-js is pinned too. */
interface ChannelInside {
  readonly internalChannel: { readonly credentials: ChannelCredentials; readonly options: ChannelOptions };
}

/** What the server may send to a read ahead of it. By HTTP/2's own 64 KiB a read of large events waits for the way there and back several times an event. */
export const readWindowBytes = 1024 * 1024;

/** How a connection differs from one that the client would make. */
export interface ConnectionOptions {
  /** What the server may send before it has been read; HTTP/2's 64 KiB where it is left out. */
  readonly windowBytes?: number;
  /** It goes to the leader of a cluster, whatever node the address prefers. */
  readonly toLeader?: boolean;
  /** Reads bring what `readAnswer` makes of their bytes: for an EventFlow, or a call of one's own. The client's own reads and subscriptions give nothing then. */
  readonly ownAnswers?: boolean;
}

/**
 * The client of the moment. It is replaced whole when its connection fails: gRPC pools connections by their
 * options, and the client's own reconnect gets the failed one back with a backoff that grows to two minutes.
 */
export class Connection {
  private current: EventStoreDBClient | undefined;
  private readonly channels = new Set<Channel>();
  private renewals = 0;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly options: ConnectionOptions = {},
  ) {
    this.current = this.open();
  }

  get client(): EventStoreDBClient {
    if (this.closed) throw new EventStoreUnavailable('The connection to the event store is closed');
    return (this.current ??= this.open());
  }

  /** Makes the next call use a new connection, unless another caller already saw to it. Calls under way go on. */
  renew(failed: EventStoreDBClient, failure: Error): void {
    if (this.current !== failed) return;
    // The client itself has already turned to the leader that it was told of.
    if (failure.cause instanceof NotLeaderError) return;
    this.current = undefined;
    this.renewals++;
    this.closeChannels();
  }

  /** Opens a bidirectional or client-streaming call that the client itself has no safe method for. */
  call<T>(client: EventStoreDBClient, name: string, open: (streams: StreamsClient, metadata: Metadata, options: CallOptions) => T): Promise<T> {
    const inside = insideOf(client);
    const create = inside.GRPCStreamCreator(grpcStreams.StreamsClient, name, (streams) =>
      open(streams, ...inside.callArguments({}, { deadline: Infinity })),
    );
    return create();
  }

  /** Ends it for good. The client's own `dispose` leaves the connections open, and they keep the process alive. */
  close(): void {
    this.closed = true;
    this.closeChannels();
  }

  private closeChannels(): void {
    for (const channel of this.channels) channel.close();
    this.channels.clear();
  }

  private open(): EventStoreDBClient {
    const { windowBytes, toLeader, ownAnswers } = this.options;
    const client = clientOf(withKeepAliveTimeout(toLeader ? preferringLeader(this.url) : this.url, this.renewals));
    const inside = insideOf(client);
    const create = inside.GRPCStreamCreator;
    if (ownAnswers) inside.GRPCStreamCreator = (service, ...call) => create(service === grpcStreams.StreamsClient ? StreamsOfAnswers : service, ...call);
    const createChannel = inside.createChannel;
    inside.createChannel = async () => {
      const made = await createChannel();
      const channel = windowBytes === undefined ? made : withReceiveWindow(made, windowBytes);
      if (this.closed) channel.close();
      else this.channels.add(channel);
      return channel;
    };
    return client;
  }
}

const { path, requestSerialize } = grpcStreams.StreamsService.read;

/** The service, with the answers to reads as the port decodes them: it says so to nobody but the port, which looks at no others. */
class StreamsOfAnswers extends grpcStreams.StreamsClient {}
StreamsOfAnswers.prototype.read = function (this: StreamsClient, request: ReadReq, metadata: Metadata, options: CallOptions) {
  return this.makeServerStreamRequest(path, requestSerialize, readAnswer, request, metadata, options);
} as unknown as StreamsClient['read'];

/** The same channel with a larger window, for which the client has no option; the one that it made has not connected yet. */
function withReceiveWindow(made: Channel, windowBytes: number): Channel {
  const { credentials, options } = (made as unknown as ChannelInside).internalChannel;
  const channel = new Channel(made.getTarget(), credentials, { ...options, 'grpc-node.flow_control_window': windowBytes });
  made.close();
  return channel;
}

function insideOf(client: EventStoreDBClient): ClientInside {
  return client as unknown as ClientInside;
}

/** The client's own error carries the whole connection string, and so the password: only its sentence is kept. */
function clientOf(url: string): EventStoreDBClient {
  try {
    return EventStoreDBClient.connectionString(url);
  } catch (error) {
    throw new EventStoreRefused(`The event store's address is not understood: ${(error as Error).message}`);
  }
}

/** The leader is also what the client prefers where the address says nothing. */
const preferringLeader = (url: string): string => url.replace(/([?&]node[_-]?preference=)[^&]*/i, '$1leader');

const keepAliveTimeout = /([?&]keepAliveTimeout=)(\d+)/i;

/** A keep-alive timeout a few milliseconds longer is all it takes to be another connection in gRPC's pool. */
function withKeepAliveTimeout(url: string, renewals: number): string {
  const extra = renewals % 1000;
  if (keepAliveTimeout.test(url)) return url.replace(keepAliveTimeout, (_, key: string, ms: string) => `${key}${Number(ms) + extra}`);
  return `${url.replace(/\/+$/, '')}${url.includes('?') ? '&' : '?'}keepAliveTimeout=${10_000 + extra}`;
}
