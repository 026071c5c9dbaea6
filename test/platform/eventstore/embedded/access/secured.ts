import { EventStoreDBClient } from '@eventstore/db-client';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEventStore, type RunningEventStore } from '../../../../../src/platform/eventstore/embedded/index.js';
import { selfSigned } from '../../self-signed.js';
import { temporaryFolder } from '../filled.js';

/** A node that serves over TLS to those who log in. */
export interface SecuredNode {
  readonly node: RunningEventStore;
  /** What vouches for the node, as a file. */
  readonly ca: string;
  url(login?: string): string;
  /** A client who logs in with `login:password`, or nobody. */
  as(login?: string): EventStoreDBClient;
  close(): Promise<void>;
}

export async function securedNode(): Promise<SecuredNode> {
  const folder = await temporaryFolder();
  const { certificate, key } = selfSigned();
  const ca = join(folder.path, 'ca.pem');
  await writeFile(ca, certificate);
  const node = await startEventStore({ dir: join(folder.path, 'log'), tls: { cert: certificate, key } });
  const clients: EventStoreDBClient[] = [];
  const url = (login?: string) => `esdb://${login === undefined ? '' : `${login}@`}localhost:${node.port}?tls=true&tlsCAFile=${encodeURIComponent(ca)}`;
  return {
    node, ca, url,
    as: (login) => {
      const client = EventStoreDBClient.connectionString(url(login));
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) await client.dispose();
      await node.close();
      await folder.remove();
    },
  };
}
