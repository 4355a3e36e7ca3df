const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');

/** `20130524T000000Z`: milliseconds since 1970, or undefined. */
export function parseAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  return match ? utc(match.slice(1).map(Number)) : undefined;
}

/** The opposite, rounded down to the second. */
export function amzDate(time: number): string {
  return isoSeconds(time).replace(/[-:]/g, '');
}

/** `2013-05-24T00:00:00Z`, rounded down to the second. */
export function isoSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, -5)}Z`;
}

/**
 * ISO 8601 in its extended form with a `T` and a zone: `Z` or an offset. Fractions of any length
 * count in full, so the result may lie between two milliseconds. Undefined for anything else.
 */
export function parseIso8601(text: string): number | undefined {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/.exec(
      text,
    );
  if (!match) return undefined;
  const [year, month, day, hour, minute, second = '0', fraction = '0', sign, offsetHours = '0'] =
    match.slice(1);
  const time = utc([year, month, day, hour, minute, second].map(Number));
  const hours = Number(offsetHours);
  const minutes = Number(match[10] ?? '0');
  if (time === undefined || hours > 23 || minutes > 59) return undefined;
  const offset = (hours * 60 + minutes) * 60_000 * (sign === '-' ? -1 : 1);
  return time - offset + Number(`0.${fraction}`) * 1_000;
}

const time = '(\\d{1,2}):(\\d{1,2}):(\\d{1,2})';
const zone = '(GMT|UTC|UT|Z|[+-]\\d{4})';
const rfc1123 = new RegExp(
  `^[a-z]+, +(\\d{1,2}) ([a-z]{3})[a-z]* (\\d{4}) +${time} +${zone}$`,
  'i',
);
const rfc850 = new RegExp(`^[a-z]+, +(\\d{1,2})-([a-z]{3})[a-z]*-(\\d\\d) +${time} +${zone}$`, 'i');
const asctime = new RegExp(`^[a-z]+ ([a-z]{3})[a-z]* +(\\d{1,2}) ${time} +(\\d{4})$`, 'i');

/**
 * The time of a request as `Date` or `x-amz-date` give it: `20130524T000000Z`, or one of the three
 * forms of RFC 9110 section 5.6.7, with GMT or an offset such as `+0000`. Undefined for anything else.
 */
export function parseRequestTime(text: string): number | undefined {
  const basic = parseAmzDate(text);
  if (basic !== undefined) return basic;
  const full = rfc1123.exec(text);
  if (full) {
    const [day, month, year, hour, minute, second, offset] = full.slice(1);
    return inZone(
      utc([Number(year), monthOf(month), ...[day, hour, minute, second].map(Number)]),
      offset,
    );
  }
  const short = rfc850.exec(text);
  if (short) {
    const [day, month, year, hour, minute, second, offset] = short.slice(1);
    const century = Number(year) < 70 ? 2_000 : 1_900;
    return inZone(
      utc([century + Number(year), monthOf(month), ...[day, hour, minute, second].map(Number)]),
      offset,
    );
  }
  const unix = asctime.exec(text);
  if (!unix) return undefined;
  const [month, day, hour, minute, second, year] = unix.slice(1);
  return utc([Number(year), monthOf(month), ...[day, hour, minute, second].map(Number)]);
}

function monthOf(name = ''): number {
  return months.indexOf(name.toLowerCase()) + 1;
}

function inZone(local: number | undefined, offset = ''): number | undefined {
  const match = /^([+-])(\d\d)(\d\d)$/.exec(offset);
  if (local === undefined || !match) return local;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return local - minutes * 60_000 * (match[1] === '-' ? -1 : 1);
}

/** Undefined for a day or a time that does not exist; a leap second is the next minute's first. */
function utc(parts: number[]): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  if (hour > 23 || minute > 59 || second > 60 || year < 1970) return undefined;
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000;
}
