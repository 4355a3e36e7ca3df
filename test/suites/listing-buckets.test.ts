import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error } from '../support/s3-client.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { ask, done, textsOf } from './ask.ts';

/** ListBuckets in pages, as the newer SDKs ask for it. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
  for (const name of ['game-a', 'game-b', 'game-c', 'other']) await server.makeBucket(name);
});

afterAll(() => server.stop());

describe('ListBuckets', () => {
  it('lists those with a prefix', async () => {
    const answer = await done(server, { path: '/?prefix=game-' });
    expect(textsOf(answer, 'Name')).toEqual(['game-a', 'game-b', 'game-c']);
    expect(answer.xml['Prefix']).toBe('game-');
    expect(answer.text).not.toContain('<ContinuationToken>');
  });

  it('goes from page to page until there is no more', async () => {
    const names: string[] = [];
    let token: string | undefined;
    let pages = 0;
    do {
      const after = token === undefined ? '' : `&continuation-token=${token}`;
      const answer = await done(server, { path: `/?max-buckets=2${after}` });
      names.push(...textsOf(answer, 'Name'));
      token = answer.xml['ContinuationToken'];
      pages += 1;
    } while (token !== undefined);
    expect(names).toEqual(['game-a', 'game-b', 'game-c', 'other', 'submissions', 'uploads']);
    expect(pages).toBe(3);
  });

  it('lists nothing of another region', async () => {
    const [here, there] = await Promise.all([
      done(server, { path: '/?bucket-region=us-east-1' }),
      done(server, { path: '/?bucket-region=eu-west-1' }),
    ]);
    expect(textsOf(here, 'Name')).toContain('uploads');
    expect(textsOf(there, 'Name')).toEqual([]);
  });

  it.each(['max-buckets=0', 'max-buckets=-3', 'max-buckets=10001', 'max-buckets=x'])(
    'refuses a page that is none: %s',
    async (query) => {
      expectS3Error(await ask(server, { path: `/?${query}` }), 400, 'InvalidArgument', {
        ArgumentName: 'max-buckets',
      });
    },
  );

  it('refuses a token that is not its own', async () => {
    const answer = await ask(server, { path: '/?continuation-token=a' });
    expectS3Error(answer, 400, 'InvalidArgument', { ArgumentName: 'continuation-token' });
  });
});
