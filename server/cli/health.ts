import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Command } from 'commander';
import { type Config, parseConfig } from '../config.ts';
import { EXIT_FAILED, EXIT_UNREACHABLE, ExitError } from './exit-error.ts';
import { addExamples } from './option-values.ts';

/** A server that accepts a connection and says nothing is none that runs. */
const TIMEOUT_MS = 4_000;

/** `keystow health`: whether the server that these settings start on this machine answers. */
export function healthCommand(): Command {
  const command = new Command('health')
    .description('ask the server that the settings of the environment start here whether it runs')
    .option('--ready', 'whether it can serve too: its store answers, and it is not stopping')
    .action(checkHealth);
  return addExamples(command, 'keystow health', 'PORT=8080 TLS=off keystow health --ready');
}

async function checkHealth({ ready }: { ready?: boolean }): Promise<void> {
  const status = await askStatus(parseConfig({}, process.env), ready === true);
  if (status === 200) return;
  throw new ExitError(EXIT_FAILED, `the server answered ${status}.`);
}

/** Of `GET /api/health`. Rejects with exit code 3 where nothing answers. */
function askStatus({ tls, host, port }: Config, isReadiness: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = {
      host: reachable(host),
      port,
      path: isReadiness ? '/api/health?ready' : '/api/health',
      timeout: TIMEOUT_MS,
      // Nothing secret is sent, and the certificate is for the name that clients use. One that has
      // expired, or was replaced on disk, is no reason to restart the server.
      rejectUnauthorized: false,
    };
    const request = (tls ? requestHttps : requestHttp)(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    request.once('error', (cause) => {
      const message = `no server answers on port ${port}: ${cause.message}.`;
      reject(new ExitError(EXIT_UNREACHABLE, message, { cause }));
    });
    request.end();
  });
}

/** All interfaces include this machine's own. */
function reachable(host: string | undefined): string {
  return host === undefined || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
}
