const shape = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * A time as microseconds since the Unix epoch: from ISO 8601, where a time without a zone is UTC, or from a whole number
 * that is that already. Undefined for anything else.
 */
export function microseconds(value: unknown): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = shape.exec(value.trim()) ?? [];
  if (year === undefined) return undefined;
  const ms = Date.UTC(+year, +month! - 1, +day!, +hour, +minute, +second);
  const real = new Date(ms);
  // Date.UTC takes the 31st of February for a day in March.
  if (real.getUTCDate() !== +day! || real.getUTCMonth() !== +month! - 1 || +hour > 23 || +minute > 59 || +second > 59) return undefined;
  return ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6)) - offset_us(zone);
}

function offset_us(zone: string): number {
  if (/^z$/i.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone[0] === '-' ? -1 : 1) * minutes * 60_000_000;
}

/** A time as people and files read it: ISO 8601 in UTC, with as many digits as it needs. */
export function isoTime(us: number): string {
  const whole = new Date(Math.floor(us / 1000)).toISOString();
  const rest = ((us % 1000) + 1000) % 1000;
  if (rest !== 0) return `${whole.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
  return whole.replace('.000Z', 'Z');
}
