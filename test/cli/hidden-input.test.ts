import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askHidden } from '../../server/cli/hidden-input.ts';

function terminal() {
  const input = new PassThrough();
  const output = new PassThrough();
  const answer = askHidden('Password: ', input, output);
  return { input, answer, shown: () => String(output.read()) };
}

describe('a password on the terminal', () => {
  it('is read, with corrections, and never shown', async () => {
    const { input, answer, shown } = terminal();
    input.write('sécreX\x7ft\r');
    expect(await answer).toBe('sécret');
    expect(shown()).toBe('Password: \n');
  });

  it('can be refused with Ctrl-C or by ending the input', async () => {
    const interrupted = terminal();
    interrupted.input.write('sec\x03');
    await expect(interrupted.answer).rejects.toMatchObject({ exitCode: 130 });
    const ended = terminal();
    ended.input.end();
    await expect(ended.answer).rejects.toMatchObject({ exitCode: 2 });
  });
});
