import { type Logger, pino } from 'pino';

/** JSON lines on stderr, readable ones on a terminal. */
export async function createLog(level: string): Promise<Logger> {
  const options = { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ fd: 2, sync: false }));
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ destination: 2, ignore: 'pid', translateTime: 'SYS:HH:MM:ss.l' }));
}
