#!/usr/bin/env bash
# The kill -9 loop with any number of rounds: test/faults/kill-9.sh ROUNDS
set -euo pipefail
if [[ ! "${1:-}" =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: test/faults/kill-9.sh ROUNDS (a whole number from 1)" >&2
  exit 2
fi
cd "$(dirname "$0")/../.."
npm run --silent build
KEYSTOW_KILL_ROUNDS="$1" exec npx vitest run test/faults/kill-9.test.ts
