import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { isLongRun } from '../support/long-runs.ts';

/** The Chromium of Debian's package, without a display. */

const EXECUTABLE = '/usr/bin/chromium';

/** It is slow, and nothing that everybody has: .ci/run installs it. */
export const hasChromium = isLongRun && existsSync(EXECUTABLE);

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    timeout: 120_000,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      // Nothing but what the tests ask for.
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
