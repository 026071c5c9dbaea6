import { isMetastream, originalOf } from '../store/metadata.js';

/** An event as a system projection looks at it. */
export interface Source {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
}

/** What a system projection writes for an event: a link to it, or the name of its stream. */
export interface Emission {
  readonly stream: string;
  readonly type: '$>' | '$@';
  readonly data: string;
  /** The stream that the link is about, where that is told. */
  readonly origin?: string;
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

/** The system projections, by what they say of one event. */
export const SYSTEM_PROJECTIONS: readonly SystemProjection[] = [
  {
    name: '$by_category',
    emit: (event) => {
      // Metadata belongs to the category of the stream that it describes.
      const origin = isMetastream(event.stream) ? originalOf(event.stream) : event.stream;
      const category = categoryOf(origin);
      return category === undefined ? undefined : { stream: `$ce-${category}`, type: '$>', data: linkTo(event), origin };
    },
  },
  { name: '$by_event_type', emit: (event) => ({ stream: `$et-${event.type}`, type: '$>', data: linkTo(event) }) },
  { name: '$streams', emit: (event) => (event.revision === 0 ? { stream: '$streams', type: '$>', data: linkTo(event) } : undefined) },
  {
    name: '$stream_by_category',
    emit: (event) => {
      const category = event.revision === 0 ? categoryOf(event.stream) : undefined;
      return category === undefined ? undefined : { stream: `$category-${category}`, type: '$@', data: event.stream };
    },
  },
];
