/** Told of every request that has its answer. */
export interface RequestMeter {
  /**
   * `route` is a pattern or the name of an operation, never a path: there must not be many. `aborted`
   * where the client, or the connection, was gone before the whole answer was out.
   */
  answered(
    via: Via,
    method: string,
    route: string,
    status: number | 'aborted',
    milliseconds: number,
  ): void;
}

/** Method and route of what was refused before either could be told. */
export const UNKNOWN = 'none';

export type Via = 'http' | 'socket';
