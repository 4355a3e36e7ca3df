import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  amzDate,
  isoSeconds,
  parseAmzDate,
  parseIso8601,
  parseRequestTime,
} from '../../server/s3/timestamps.ts';

const noon = Date.UTC(2015, 11, 30, 12);

describe('parseIso8601', () => {
  test.each([
    ['2015-12-30T12:00:00.000Z', noon],
    ['2015-12-30T12:00:00Z', noon],
    ['2015-12-30T12:00Z', noon],
    ['2015-12-30T12:00:00.5Z', noon + 500],
    ['2015-12-30T12:00:00,25Z', noon + 250],
    ['2022-10-30T15:23:18.989274Z', Date.UTC(2022, 9, 30, 15, 23, 18) + 989.274],
    ['2015-12-30T12:00:00.123456789012Z', noon + 123.456789012],
    ['2015-12-30T14:00:00+02:00', noon],
    ['2015-12-30T06:30:00-0530', noon],
    ['2015-12-30T13:00:00+01', noon],
    ['2016-02-29T00:00:00Z', Date.UTC(2016, 1, 29)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
  ])('reads %s', (text, time) => {
    expect(parseIso8601(text)).toBeCloseTo(time, 3);
  });

  test.each([
    '',
    '2015-12-30',
    '2015-12-30T12:00:00',
    '2015-12-30 12:00:00Z',
    '2026-09-29 12:00:00.123456+00:00',
    '2015-12-30t12:00:00z',
    '20151230T120000Z',
    '2015-12-30T12:00:00.Z',
    '2015-13-30T12:00:00Z',
    '2015-02-29T12:00:00Z',
    '2015-12-30T24:00:00Z',
    '2015-12-30T12:60:00Z',
    '2015-12-30T12:00:61Z',
    '2015-12-30T12:00:00+24:00',
    '2015-12-30T12:00:00Z ',
    ' 2015-12-30T12:00:00Z',
    '2015-12-30T12:00:00ZZ',
    'Wed, 30 Dec 2015 12:00:00 GMT',
    '1451476800',
  ])('refuses %j', (text) => {
    expect(parseIso8601(text)).toBeUndefined();
  });

  test('reads what Date writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          expect(parseIso8601(date.toISOString())).toBeCloseTo(date.getTime(), 3);
          const second = Math.floor(date.getTime() / 1_000) * 1_000;
          expect(parseIso8601(isoSeconds(date.getTime()))).toBe(second);
          expect(parseAmzDate(amzDate(date.getTime()))).toBe(second);
          expect(parseRequestTime(date.toUTCString())).toBe(second);
        },
      ),
    );
  });
});

describe('parseRequestTime', () => {
  test.each([
    '20151230T120000Z',
    'Wed, 30 Dec 2015 12:00:00 GMT',
    'Wed, 30 Dec 2015 12:00:00 +0000',
    'Wed, 30 Dec 2015 14:00:00 +0200',
    'Wed, 30 Dec 2015 06:30:00 -0530',
    'Wednesday, 30-Dec-15 12:00:00 GMT',
    'Wed Dec 30 12:00:00 2015',
  ])('reads %s', (text) => {
    expect(parseRequestTime(text)).toBe(noon);
  });

  test('takes two digits of a year for the nearer century', () => {
    expect(parseRequestTime('Friday, 30-Dec-94 12:00:00 GMT')).toBe(Date.UTC(1994, 11, 30, 12));
    expect(parseRequestTime('Tue Mar  6 12:00:00 2007')).toBe(Date.UTC(2007, 2, 6, 12));
  });

  test.each([
    '',
    'today',
    '2015-12-30T12:00:00Z',
    '20151330T120000Z',
    '20151230T250000Z',
    'Wed, 30 Foo 2015 12:00:00 GMT',
    'Wed, 31 Feb 2015 12:00:00 GMT',
    'Wed, 30 Dec 2015 12:00:00',
    'Wed, 30 Dec 1969 12:00:00 GMT',
    'Wed, 30 Dec 2015 12:00:00 GMT x',
  ])('refuses %j', (text) => {
    expect(parseRequestTime(text)).toBeUndefined();
  });
});
