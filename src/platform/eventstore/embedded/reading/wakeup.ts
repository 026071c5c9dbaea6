/** Lets one reader sleep until there is something new, without missing what comes while it is busy. */
export class Wakeup implements Disposable {
  private hasNews = false;
  private waiting: ((isAwake: boolean) => void) | undefined;
  private readonly stopWatching: () => void;
  private readonly onGone = () => this.waiting?.(false);

  constructor(
    watch: (wake: () => void) => () => void,
    private readonly gone: AbortSignal,
  ) {
    this.stopWatching = watch(() => this.wake());
    gone.addEventListener('abort', this.onGone);
  }

  /** Resolves with true when something is new since the last call, with false when the reader is gone. */
  async next(): Promise<boolean> {
    if (this.gone.aborted) return false;
    if (!this.hasNews) {
      const isAwake = await new Promise<boolean>((resolve) => {
        this.waiting = resolve;
      });
      this.waiting = undefined;
      if (!isAwake) return false;
    }
    this.hasNews = false;
    return true;
  }

  [Symbol.dispose](): void {
    this.stopWatching();
    this.gone.removeEventListener('abort', this.onGone);
  }

  private wake(): void {
    this.hasNews = true;
    this.waiting?.(true);
  }
}
