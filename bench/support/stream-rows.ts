import type { grpcClient } from './grpc-client.js';

const requestsInFlight = 16;

/** Streams batches to a group with a bounded number of requests unanswered; gives the position of the last when all are durable. */
export function streamRows(client: ReturnType<typeof grpcClient>, { project, group }: { project: string; group: string }, batches: readonly object[]): Promise<string> {
  const call = client['StreamWrite']!((client as any).metadata);
  let sent = 0;
  let answered = 0;
  const send = () => {
    while (sent < batches.length && sent - answered < requestsInFlight) call.write({ write: { project, group, batch: batches[sent] }, requestId: `${group}-${performance.now()}-${sent++}` });
  };
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.on('data', (reply: { refusal?: { message: string }; written?: { position: string } }) => {
      if (reply.refusal) return reject(new Error(reply.refusal.message));
      answered++;
      if (answered < batches.length) return send();
      call.end();
      resolve(reply.written!.position);
    });
    send();
  });
}
