# Common part of the scripts in this folder; sourced, not run. Changes to the repository's root, and puts the tools of
# node_modules first on PATH (including Node.js 24, from the package node-linux-<arch>).
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
REPO=$PWD
export PATH="$REPO/node_modules/.bin:$PATH"
# Caches compiled code: a router then starts in about two thirds of the time.
export NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE-$REPO/.cache/node}

# From this release on, Node.js runs TypeScript directly and has all APIs that the code uses.
NODE_MAJOR=24

die() {
  printf '%s\n' "$@" >&2
  exit 1
}

# Handles the options of a script with --help only.
# usage: only_help "$usage" "$@"
only_help() {
  local usage=$1
  shift
  case "${1:-}" in
    '') ;;
    -h | --help)
      printf '%s\n' "$usage"
      exit 0
      ;;
    *) die "Unknown argument: $1" '' "$usage" ;;
  esac
}

# Returns true if the `node` on PATH can run this project.
node_is_new_enough() {
  [[ -x $REPO/node_modules/.bin/node ]] && return
  local version
  version=$(node --version 2>/dev/null) || return 1
  version=${version#v}
  ((${version%%.*} >= NODE_MAJOR))
}

# The C++ sources, separated by NUL.
cpp_files() {
  find sidecar-cpp services/clients/cpp docs/examples/cpp -name build -prune -o '(' -name '*.cc' -o -name '*.h' ')' -print0
}

# Runs a command and passes on signals. Otherwise they would end only this shell, and the command would keep running.
forward_signals() {
  local status=0
  "$@" &
  local child=$!
  # shellcheck disable=SC2064 # the present child
  trap "kill -TERM $child 2>/dev/null; wait $child; exit 130" INT TERM HUP
  wait "$child" || status=$?
  trap - INT TERM HUP
  return "$status"
}
