# For scripts that need a Docker Engine; sourced after common.sh, not run.
# shellcheck shell=bash

# Makes images of others where they cannot be pulled: called with the missing names, or without any to install Docker.
LOCAL_IMAGES=${TANDEM_LOCAL_IMAGES:-}
if [[ ! $LOCAL_IMAGES && -x ../shared/tools/local-images ]]; then LOCAL_IMAGES=../shared/tools/local-images; fi

docker_runs() { docker info >/dev/null 2>&1; }

# usage: require_docker NPM-SCRIPT
require_docker() {
  if ! docker_runs && [[ $LOCAL_IMAGES ]] && ((EUID == 0)); then "$LOCAL_IMAGES"; fi
  docker_runs || die "There is no Docker Engine to talk to (docker info). Start it, or see npm run $1 -- --help."
}

present() { docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1" >/dev/null 2>&1; }

# usage: require_images NPM-SCRIPT IMAGE…
require_images() {
  local script=$1 image
  shift
  for image; do
    if present "$image"; then continue; fi
    [[ $LOCAL_IMAGES ]] || die "The image $image cannot be pulled; see TANDEM_LOCAL_IMAGES in npm run $script -- --help."
    forward_signals "$LOCAL_IMAGES" "$image"
  done
}
