import type { Json } from './document.ts';

/** Whether two values have the same members, of the same types; lists are compared as far as both go. */
export function isLike(example: Json, value: Json | undefined): boolean {
  if (Array.isArray(example) || Array.isArray(value)) {
    if (!Array.isArray(example) || !Array.isArray(value)) return false;
    return example.every((one, at) => at >= value.length || isLike(one, value[at]));
  }
  if (!isObject(example) || !isObject(value)) return typeof example === typeof value;
  const names = Object.keys(example);
  return (
    names.length === Object.keys(value).length &&
    names.every((name) => isLike(example[name] ?? null, value[name]))
  );
}

export function isObject(value: Json | undefined): value is { [member: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Copies of the value, in each of which one of its objects is what `change` makes of it. */
export function changedObjects(
  value: Json,
  change: (object: { [member: string]: Json }) => Json,
): Json[] {
  if (Array.isArray(value)) {
    return value.flatMap((one, at) =>
      changedObjects(one, change).map((changed) => value.with(at, changed)),
    );
  }
  if (!isObject(value)) return [];
  return [
    change(value),
    ...Object.entries(value).flatMap(([name, member]) =>
      changedObjects(member, change).map((changed) => ({ ...value, [name]: changed })),
    ),
  ];
}
