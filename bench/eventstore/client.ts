import { workloads } from './workloads.js';

/*
 * The process of one client: `node client.js <workload> <its parameters as JSON>`. It does its workload each time its
 * parent says so, and answers with what it measured.
 */
const [, , name, parameters = '[]'] = process.argv;
const workload = workloads[name as keyof typeof workloads] as (...parameters: unknown[]) => Promise<unknown>;

process.on('message', () => void workload(...(JSON.parse(parameters) as unknown[])).then((measured) => process.send!({ measured })));
process.once('disconnect', () => process.exit(0));
