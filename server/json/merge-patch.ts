import type { JsonNode } from './lossless.ts';

/**
 * RFC 7396 (JSON Merge Patch): the target as the patch changes it; `undefined` is an absent target.
 * May change the target, never the patch. Recurses as deep as the patch, which parseLossless bounds;
 * the result is no deeper than the deeper of the two.
 */
export function mergePatch(target: JsonNode | undefined, patch: JsonNode): JsonNode {
  if (!(patch instanceof Map)) return patch;
  const merged = target instanceof Map ? target : new Map<string, JsonNode>();
  for (const [name, change] of patch) {
    if (change === 'null') merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), change));
  }
  return merged;
}

/**
 * The plain `application/json` PATCH: sets the named top-level members and creates those that are
 * missing. A null is set as null; nothing is merged deeper down. Changes the target.
 */
export function setMembers(target: Map<string, JsonNode>, patch: Map<string, JsonNode>): void {
  for (const [name, value] of patch) target.set(name, value);
}
