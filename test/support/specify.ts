import { expect } from '@jest/globals';
import { Refusal, type Decider, type DomainEvent, type RefusalCode } from '../../src/domain/kit/index.js';

/** Given/when/then over a decider: `given(...events).when(state => decision).then(...events)`. */
export const specify =
  <State, Event extends DomainEvent>({ initialState, evolve }: Pick<Decider<State, Event>, 'initialState' | 'evolve'>) =>
  (...history: readonly Event[]) => ({
    when: <Decided extends DomainEvent = Event>(decide: (state: State) => readonly Decided[]) => {
      const run = () => decide(history.reduce(evolve, initialState));
      return {
        then: (...expected: readonly Decided[]) => expect(run()).toEqual(expected),
        thenNothing: () => expect(run()).toEqual([]),
        thenRefused: (code: RefusalCode, sentence?: string | RegExp) => {
          const refusal = refusalOf(run);
          expect(refusal?.code).toBe(code);
          if (sentence !== undefined) expect(refusal?.message).toMatch(sentence);
        },
      };
    },
  });

function refusalOf(run: () => unknown): Refusal | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** A decision's context where the test does not care. */
export const anyContext = { now: '2026-01-01T00:00:00.000Z', actor: 'key:test' };
