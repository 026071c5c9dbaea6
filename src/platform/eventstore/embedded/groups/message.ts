/** An event on its way through a group. */
export interface Message {
  /** By which it is acknowledged: the id of the link, where it came by one. */
  readonly id: string;
  /** Its place in the source (revision or position); undefined for one that was parked and is replayed. */
  readonly place: number | undefined;
  /** Its place among the parked ones, for one that is replayed. */
  readonly parkedAt: number | undefined;
  /** The event that it is about, as a link names it. */
  readonly target: string;
  /** The revision under which it stands in its stream, or among the parked ones. */
  readonly revision: number;
  /** Where in the log it stands, and whether a link there is followed. Its bytes are read when it is sent: a buffer full of large events would fill the memory. */
  readonly position: number;
  readonly resolves: boolean;
  /** By which a pinned strategy chooses its consumer. */
  readonly pin: string;
  retries: number;
}
