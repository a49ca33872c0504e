# Common part of the scripts that need a Docker Engine; sourced after common.sh.
# shellcheck shell=bash

# A program that builds third-party images if they cannot be pulled; called with their names.
LOCAL_IMAGES=${TANDEM_LOCAL_IMAGES:-}
if [[ ! $LOCAL_IMAGES && -x ../shared/tools/local-images ]]; then LOCAL_IMAGES=../shared/tools/local-images; fi

docker_runs() { docker info >/dev/null 2>&1; }

# require_docker SCRIPT: starts it if possible; otherwise ends the npm script of that name.
require_docker() {
  if ! docker_runs && [[ $LOCAL_IMAGES ]] && ((EUID == 0)); then "$LOCAL_IMAGES"; fi
  docker_runs || die "No Docker Engine answers (docker info). Start it, or see npm run $1 -- --help."
}

# compose_here: prints the available compose command, or fails.
compose_here() {
  if [[ ${TANDEM_COMPOSE:-} ]]; then
    echo "$TANDEM_COMPOSE"
  elif docker compose version >/dev/null 2>&1; then
    echo 'docker compose'
  elif command -v docker-compose >/dev/null; then
    echo docker-compose
  else
    return 1
  fi
}

image_present() { docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1" >/dev/null 2>&1; }

# image_wanted NAME: pulls or builds it.
image_wanted() {
  if image_present "$1"; then return; fi
  [[ $LOCAL_IMAGES ]] || die "The image $1 cannot be pulled; TANDEM_LOCAL_IMAGES may name a program that builds it."
  forward_signals "$LOCAL_IMAGES" "$1"
}
