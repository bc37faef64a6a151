# Shell functions that the scripts of this tree share. Source it from bash; it changes nothing.
# shellcheck shell=bash

# What a script says about its own progress, apart from the output of what it runs.
say() { printf '== %s\n' "$*"; }

# fail MESSAGE [HINT]: ends the script with status 1.
fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  [ -z "${2:-}" ] || printf 'Try: %s\n' "$2" >&2
  exit 1
}

# as_root COMMAND…: runs it as root, through sudo where the caller is somebody else.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo -- "$@"
  else
    fail "cannot run '$1' as root: this account is not root, and sudo is not installed" \
      "run ${0##*/} as root, or install sudo"
  fi
}

# For CMake: several sources are compiled as one, because what takes the time is the headers that
# they share. In tests/run too, so that what compiles there compiles for everybody.
# shellcheck disable=SC2034 # it is for who sources this
unity_options=(-DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=10)

# How many compilers may run at once: a core each, and 1.2 GB of free memory each, because a
# translation unit with Boost.Beast in it takes up to 0.9 GB.
build_jobs() {
  local cores free_kb by_memory
  cores=$(nproc)
  free_kb=$(awk '$1 == "MemAvailable:" {print $2}' /proc/meminfo)
  by_memory=$((free_kb / 1200000))
  [ "$by_memory" -ge 1 ] || by_memory=1
  if [ "$by_memory" -lt "$cores" ]; then echo "$by_memory"; else echo "$cores"; fi
}

# process_is PID PROGRAM: whether PID is alive and runs the program at that path, so that a pid
# file left by an earlier boot never makes us signal a stranger.
process_is() {
  local exe
  [ -n "${1:-}" ] && exe=$(readlink "/proc/$1/exe" 2>/dev/null) || return 1
  # A program that was built anew since shows as deleted.
  [ "${exe% (deleted)}" = "$2" ]
}

# end_process PID SECONDS: SIGTERM, then SIGKILL if it is still there after that time.
end_process() {
  local pid=$1 tries=$(($2 * 10))
  kill -TERM "$pid" 2>/dev/null || return 0
  while [ "$tries" -gt 0 ]; do
    kill -0 "$pid" 2>/dev/null || return 0
    # A child of ours that ended stays a zombie until the shell reaps it.
    [ "$(awk '{print $3}' "/proc/$pid/stat" 2>/dev/null)" != Z ] || return 0
    sleep 0.1
    tries=$((tries - 1))
  done
  kill -KILL "$pid" 2>/dev/null || true
}
