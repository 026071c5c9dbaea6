import { loadSync, type AnyDefinition, type MethodDefinition, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { packageRoot } from '../../platform/root.js';
import { messageReader, messageWriter } from './values.js';

/** The folder of the .proto files. */
export const protoFolder = join(packageRoot, 'proto');

const options = { keepCase: false, longs: String, enums: String, bytes: String, defaults: true, oneofs: false, includeDirs: [protoFolder] };

/**
 * Loads .proto files (paths below `proto/`) for servers and clients. Messages come and go as the plain objects that the
 * schemas describe: camelCase, times as ISO 8601, Struct as JSON, enum values without their prefix, fields left out
 * where `optional` or a message is not set, 64-bit integers as digits.
 */
export function loadProtos(files: readonly string[]): PackageDefinition {
  const definitions = loadSync([...files], options);
  const root = reflect(files);
  for (const definition of Object.values(definitions)) {
    if (isService(definition)) for (const method of Object.values(definition)) bridge(method, root);
  }
  return definitions;
}

/** The files as protobufjs sees them: types, fields and services by name. */
export function reflect(files: readonly string[], options?: protobuf.IParseOptions): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : join(protoFolder, target));
  root.loadSync([...files], options);
  root.resolveAll();
  return root;
}

const isService = (definition: AnyDefinition): definition is ServiceDefinition => !('format' in definition);

/** Puts the conversion of messages around a method's serializers, where its messages need any. */
function bridge(method: MethodDefinition<object, object>, root: protobuf.Root): void {
  const [, service, name] = method.path.split('/');
  const { resolvedRequestType, resolvedResponseType } = root.lookupService(service!).methods[name!]!;
  const reads = (type: protobuf.Type | null, deserialize: (bytes: Buffer) => object) => {
    const read = messageReader(type!);
    return read ? (bytes: Buffer) => read(deserialize(bytes)) : deserialize;
  };
  const writes = (type: protobuf.Type | null, serialize: (value: object) => Buffer) => {
    const write = messageWriter(type!);
    return write ? (value: object) => serialize(write(value)) : serialize;
  };
  method.requestDeserialize = reads(resolvedRequestType, method.requestDeserialize);
  method.responseDeserialize = reads(resolvedResponseType, method.responseDeserialize);
  method.requestSerialize = writes(resolvedRequestType, method.requestSerialize);
  method.responseSerialize = writes(resolvedResponseType, method.responseSerialize);
}
