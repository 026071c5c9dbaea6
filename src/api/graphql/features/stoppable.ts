/**
 * A generator that ends when its reader leaves. By itself a generator that waits for news hears of that only after the
 * next news, and a subscription without any would stay for ever.
 */
export function stoppable<Item>(signal: AbortSignal | undefined, start: (signal: AbortSignal) => AsyncGenerator<Item>): AsyncIterableIterator<Item> {
  const stop = new AbortController();
  const items = start(signal ? AbortSignal.any([signal, stop.signal]) : stop.signal);
  return {
    next: () => items.next(),
    return: (value) => {
      stop.abort();
      return items.return(value);
    },
    throw: (error) => {
      stop.abort();
      return items.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
