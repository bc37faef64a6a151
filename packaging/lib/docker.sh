# Makes sure that a Docker engine answers, and ends one that we started. Source it after common.sh.
# shellcheck shell=bash

# Set by provide_docker: how the engine came to run. "found", "systemd" or "by hand".
docker_origin=''
readonly docker_log=/var/log/resmgr-dockerd.log

# The engine's socket, from DOCKER_HOST where that is a unix socket.
docker_socket() {
  case "${DOCKER_HOST:-}" in
    '') echo /var/run/docker.sock ;;
    unix://*) echo "${DOCKER_HOST#unix://}" ;;
    *) fail "cannot use DOCKER_HOST '$DOCKER_HOST': only unix:// sockets are supported" \
      "unset DOCKER_HOST" ;;
  esac
}

docker_answers() {
  [ "$(curl --silent --max-time 10 --unix-socket "$(docker_socket)" \
    http://localhost/_ping 2>/dev/null)" = OK ]
}

# The pid of a running engine of this host, which it writes itself; empty if there is none.
docker_pid() {
  local pid
  pid=$(cat /run/docker.pid 2>/dev/null) || return 0
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then echo "$pid"; fi
}

# Whether the socket is there but is closed to this account.
docker_is_forbidden() {
  local socket
  socket=$(docker_socket)
  [ -S "$socket" ] && ! [ -w "$socket" ]
}

start_dockerd_by_hand() {
  # A container as host often has no cgroups mounted; dockerd can't do without.
  if [ -z "$(ls -A /sys/fs/cgroup 2>/dev/null)" ]; then
    as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup || true
  fi
  # It must outlive this script, so it gets a session of its own and keeps no file of ours open.
  as_root sh -c "PATH=\$PATH:/usr/sbin:/sbin setsid --fork dockerd </dev/null >>'$docker_log' 2>&1"
}

# provide_docker INSTALL_DEPS: installs docker.io by the given script where there is no dockerd, and
# starts it where none runs.
provide_docker() {
  if docker_answers; then
    docker_origin=found
    return 0
  fi
  [ -z "${DOCKER_HOST:-}" ] ||
    fail "cannot reach the Docker engine at '$DOCKER_HOST': it does not answer" \
      "start it, or unset DOCKER_HOST to use the host's own"
  if docker_is_forbidden && [ -n "$(docker_pid)" ]; then
    docker_origin=found
    return 0
  fi
  if ! PATH=$PATH:/usr/sbin command -v dockerd >/dev/null 2>&1 ||
    ! command -v docker >/dev/null 2>&1; then
    say "No Docker engine is installed: installing docker.io"
    "$1" --docker
  fi
  start_docker
}

# require_docker: ends the script if this account can't use the engine.
require_docker() {
  if docker_is_forbidden; then
    fail "cannot use the Docker engine: $(docker_socket) is closed to the account '$(id -un)'" \
      "sudo usermod -aG docker $(id -un), and sign in again"
  fi
  docker_answers || fail "cannot reach the Docker engine at '$(docker_socket)': it does not answer"
}

start_docker() {
  if [ -d /run/systemd/system ]; then
    docker_origin=systemd
    say "Starting the Docker engine: systemctl start docker"
    as_root systemctl start docker
    say "It stays up; to end it: systemctl stop docker docker.socket"
    return 0
  fi
  docker_origin='by hand'
  # The package's own script may have started one just now.
  if [ -z "$(docker_pid)" ]; then
    say "Starting the Docker engine: dockerd, with its log in $docker_log"
    start_dockerd_by_hand
  fi
  local tries=300
  while ! as_root curl --silent --max-time 10 --unix-socket "$(docker_socket)" \
    http://localhost/_ping >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
      tail -n 20 "$docker_log" >&2 || true
      fail "cannot start the Docker engine: dockerd does not answer after a minute" \
        "read $docker_log"
    fi
    sleep 0.2
  done
  say "It is up; to end it: kill \$(cat /run/docker.pid)"
}

# stop_docker: ends the engine if provide_docker started it, and leaves any other alone.
stop_docker() {
  local pid
  case "$docker_origin" in
    systemd) as_root systemctl stop docker.socket docker ;;
    'by hand')
      pid=$(docker_pid)
      [ -z "$pid" ] || as_root kill -TERM "$pid"
      local tries=300
      while [ -n "$pid" ] && [ -n "$(docker_pid)" ] && [ "$tries" -gt 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
      done
      ;;
  esac
}
