import type { StoredEvent } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { knownKey, streamKey } from './parking/keys.js';

/** The most slices that a view may have. */
export const mostSlices = 64;

/** One of the parts that a view is split into by the keys of its events; a view that is not split has one. */
export interface Slice {
  readonly view: View;
  /** From 0. */
  readonly index: number;
  /** How many slices the view has. */
  readonly of: number;
}

/** What one process does for all: it keeps a slice of a view that stands in its version, or builds the whole of one that does not. */
export interface Duty extends Slice {
  readonly isBuilt: boolean;
}

/** A view's only slice. */
export const wholeView = (view: View): Slice => ({ view, index: 0, of: 1 });

/** The slice as operators see it: `feature-online`, or `feature-online/2` where there are several. */
export const sliceName = ({ view, index, of }: Slice): string => (of === 1 ? view.name : `${view.name}/${index}`);

/** The number of the slice, of so many, that takes all events of a key. */
export function sliceOfKey(key: string, of: number): number {
  return (hashOf(key) >>> 0) % of;
}

/** Tells which slice takes an event, once for all slices of the view that read it together. */
export class Sorting {
  private readonly places = new WeakMap<StoredEvent, number>();

  constructor(
    private readonly view: View,
    private readonly of: number,
  ) {}

  /** Whether the slice takes the event. `unknown`: another one does, but the event may be about any key. */
  concerns(index: number, event: StoredEvent): 'own' | 'unknown' | 'other' {
    let place = this.places.get(event);
    if (place === undefined) this.places.set(event, (place = this.placeOf(event)));
    if (place === index || ~place === index) return 'own';
    return place < 0 ? 'unknown' : 'other';
  }

  /** The index; its complement where the key cannot be told, and the event goes with its stream. */
  private placeOf(event: StoredEvent): number {
    const key = knownKey(this.view, event);
    return key === undefined ? ~sliceOfKey(streamKey(event), this.of) : sliceOfKey(key, this.of);
  }
}

/** FNV-1a over UTF-16 units, and the last step of MurmurHash3, so that every bit counts in the remainder. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
