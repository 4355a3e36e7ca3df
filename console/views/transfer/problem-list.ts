/** A line that cannot be imported, or that the server has refused. */
export interface Problem {
  readonly line: number;
  readonly key?: string;
  readonly reason: string;
}

/** As the command line has it: the first are named, further ones only counted. */
export interface ProblemList {
  readonly count: number;
  readonly first: readonly Problem[];
}

const MOST_NAMED = 20;

export function createProblemList() {
  const first: Problem[] = [];
  let count = 0;
  return {
    add(problem: Problem): void {
      count += 1;
      if (first.length < MOST_NAMED) first.push(problem);
    },
    list: (): ProblemList => ({ count, first: [...first] }),
  };
}
