import type DataLoader from 'dataloader';
import type { WireContext } from '../operations.js';

/** What every resolver is given. */
export class GraphqlContext {
  private readonly loaders = new Map<string, DataLoader<any, any, any>>();
  private readonly answers = new Map<string, Promise<unknown>>();

  constructor(readonly wire: WireContext) {}

  /** The request's own loader of a name, made when first asked for: what one request asks for many times is fetched once. */
  loader<Key, Value>(name: string, make: () => DataLoader<Key, Value, any>): DataLoader<Key, Value, any> {
    let loader = this.loaders.get(name);
    if (!loader) this.loaders.set(name, (loader = make()));
    return loader;
  }

  /** Asks the same question once a request. */
  once<Answer>(question: string, ask: () => Promise<Answer>): Promise<Answer> {
    let answer = this.answers.get(question);
    if (!answer) this.answers.set(question, (answer = ask()));
    return answer as Promise<Answer>;
  }
}
