import { LINK_TYPE } from '../reading/links.js';
import { isMetastream, originalOf, parseMetadata } from '../store/metadata.js';

/** An event as a system projection looks at it. */
export interface Source {
  readonly stream: string;
  /** As a link names it. */
  readonly revision: string;
  readonly type: string;
  readonly data: () => Buffer;
}

/** What a system projection writes for an event: a link to it, or the name of its stream. */
export interface Emission {
  readonly stream: string;
  readonly type: '$>' | '$@';
  readonly data: string;
  /** The stream that the link is about, where that is told. */
  readonly origin?: string;
  /** Set when the event is the end of its stream, softly or for good. */
  readonly isDeletion?: boolean;
}

/** A projection that is part of the server. */
export interface SystemProjection {
  readonly name: string;
  emit(event: Source): Emission | undefined;
}

/** A category ends at the first dash; streams of the system have none. */
function categoryOf(stream: string): string | undefined {
  const dash = stream.indexOf('-');
  return dash > 0 && !stream.startsWith('$') ? stream.slice(0, dash) : undefined;
}

const linkTo = ({ stream, revision }: Source): string => `${revision}@${stream}`;

/** The stream that an event deletes: a tombstone its own, the metadata of a soft delete the one that it describes. */
function deletedBy({ stream, type, data }: Source): string | undefined {
  if (!isMetastream(stream)) return type === '$streamDeleted' ? stream : undefined;
  return type === '$metadata' && parseMetadata(data()).isSoftDeleted ? originalOf(stream) : undefined;
}

/** The system projections, by what they say of one event. A link is an event of the stream that it stands in. */
export const SYSTEM_PROJECTIONS: readonly SystemProjection[] = [
  {
    name: '$by_category',
    emit: (event) => {
      // Of metadata only what deletes a stream belongs to the stream's category.
      const deleted = deletedBy(event);
      const origin = deleted ?? event.stream;
      const category = categoryOf(origin);
      if (category === undefined) return undefined;
      // A link to a link would lead nowhere.
      const data = event.type === LINK_TYPE ? event.data().toString('utf8') : linkTo(event);
      return { stream: `$ce-${category}`, type: '$>', data, origin, isDeletion: deleted !== undefined };
    },
  },
  {
    name: '$by_event_type',
    emit: (event) => {
      if (event.type === LINK_TYPE) return undefined;
      const isDeletion = deletedBy(event) !== undefined;
      // As the real server has it, links to metadata name the stream that it describes.
      const stream = isMetastream(event.stream) ? originalOf(event.stream) : event.stream;
      return { stream: `$et-${isDeletion ? '$deleted' : event.type}`, type: '$>', data: linkTo({ ...event, stream }), isDeletion };
    },
  },
  { name: '$streams', emit: (event) => (event.revision === '0' ? { stream: '$streams', type: '$>', data: linkTo(event) } : undefined) },
  {
    name: '$stream_by_category',
    emit: (event) => {
      const category = event.revision === '0' ? categoryOf(event.stream) : undefined;
      return category === undefined ? undefined : { stream: `$category-${category}`, type: '$@', data: event.stream };
    },
  },
];
