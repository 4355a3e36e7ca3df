import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../faults/random.ts';
import { runs } from '../support/long-runs.ts';
import { type OraclePart, readMultipart } from '../support/multipart-oracle.ts';
import { type MutatedForm, mutateForm } from '../support/mutated-forms.ts';
import { type S3Answer, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';
import { type Pairs, signForm } from '../support/sign-form.ts';

/** Forms mutated by chance, over HTTP, beside a second parser that knows what they hold. */

const FORMS = runs(500, 100_000);
const AT_ONCE = 8;
const FIRST_SEED = 1_000_000;

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server({ LOG_LEVEL: 'error' });
});
afterAll(() => server.stop());

function fieldsOf(seed: number): Pairs {
  return signForm({
    pair: ADMIN_KEY,
    version: seed % 2 === 0 ? 'v2' : 'v4',
    bucket: 'uploads',
    fields: { key: `fuzz/${seed}`, 'Content-Type': 'application/x-save' },
  });
}

/** The file's bytes where a second parser finds just the signed fields and one file behind them. */
function fileOf(parts: readonly OraclePart[] | undefined, fields: Pairs): Buffer | undefined {
  const at = parts?.findIndex(({ name }) => name.toLowerCase() === 'file') ?? -1;
  if (!parts || at !== fields.length) return undefined;
  const isSigned = fields.every(([name, value], index) => {
    const part = parts[index];
    return part?.name === name && part.content.equals(Buffer.from(value));
  });
  const hasOtherFile = parts.slice(at + 1).some(({ name }) => name.toLowerCase() === 'file');
  return isSigned && !hasOtherFile ? parts[at]?.content : undefined;
}

function send({ contentType, body, chunks }: MutatedForm): Promise<S3Answer> {
  return sendS3(server.url, {
    method: 'POST',
    path: '/uploads',
    // Of a header Node sends what HTTP can hold.
    headers: { 'content-type': contentType.replace(/[^\t\x20-\x7e\x80-\xff]/g, '') },
    body: chunks ?? body,
  });
}

describe('mutated forms', () => {
  it('are answered under 500, and those that are whole are stored byte for byte', {
    timeout: 3_600_000,
  }, async () => {
    let stored = 0;
    let refused = 0;

    async function run(seed: number): Promise<void> {
      const fields = fieldsOf(seed);
      const random = createRandom(seed);
      const file = Buffer.from(`save ${random()} ${random()}`);
      const form = mutateForm(seed, { fields, file });
      const expected = fileOf(readMultipart(form.contentType, form.body), fields);
      const answer = await send(form);
      const what = `seed ${seed}: ${form.mutations.join(', ')} ${answer.text}`;
      expect(answer.status, what).toBeLessThan(500);
      if (expected === undefined) {
        refused += 1;
        return;
      }
      expect(answer.status, what).toBe(204);
      const read = await server.read('uploads', `fuzz/${seed}`);
      expect(read.bytes.equals(expected), what).toBe(true);
      expect(answer.headers.get('etag'), what).toBe(`"${md5Hex(expected)}"`);
      stored += 1;
    }

    let next = FIRST_SEED;
    const worker = async (): Promise<void> => {
      while (next < FIRST_SEED + FORMS) {
        next += 1;
        await run(next);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(stored + refused).toBe(FORMS);
    expect(stored).toBeGreaterThan(FORMS / 5);
    expect(server.log()).toBe('');
  });
});
