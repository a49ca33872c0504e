# Shared by the scripts in this folder; sourced, not run. Leaves the caller in the repository's root, with the tools of
# node_modules first on PATH (among them Node.js 24, from the package node-linux-<arch>).
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
REPO=$PWD
export PATH="$REPO/node_modules/.bin:$PATH"
# Compiled code is kept, types stripped: a router starts in about two thirds of the time.
export NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE-$REPO/.cache/node}

# Node.js releases from this one on run TypeScript by themselves and have what the code uses.
NODE_MAJOR=24

die() {
  printf '%s\n' "$@" >&2
  exit 1
}

# The options of a script whose only option is --help.
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

# Whether the `node` on PATH runs this project.
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

# Runs a command and hands it the signals that would otherwise end this shell and leave the command running.
forward_signals() {
  local status=0
  "$@" &
  local child=$!
  # shellcheck disable=SC2064 # the child of now
  trap "kill -TERM $child 2>/dev/null; wait $child; exit 130" INT TERM HUP
  wait "$child" || status=$?
  trap - INT TERM HUP
  return "$status"
}
