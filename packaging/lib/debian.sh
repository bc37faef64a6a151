# Where this host gets Debian from. Source it after common.sh.
# shellcheck shell=bash

# The host's own mirrors, one "URI suite" a line: those of Debian's main component.
mirrors() {
  # shellcheck disable=SC2016 # apt puts these in, not the shell
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' | sort -u
}

host_release() {
  # shellcheck source=/dev/null
  (. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
}

# The one from which the host's own release comes.
mirror_of_host() {
  local mirror
  mirror=$(mirrors | awk -v suite="$(host_release)" '$2 == suite && !found++ { print $1 }')
  [ -n "$mirror" ] ||
    fail "cannot find a mirror for Debian '$(host_release)' in apt's configuration" 'apt-get update'
  echo "$mirror"
}

# mirrors_for SUITE: the lines of sources.list for that release, from the same mirrors.
mirrors_for() {
  mirrors | sed "s/ $(host_release)/ $1/; s/.*/deb & main/"
}

# What apt uses as a proxy serves debootstrap as well.
take_proxies() {
  local http='' https=''
  eval "$(apt-config shell http Acquire::http::Proxy https Acquire::https::Proxy)"
  [ -z "$http" ] || export http_proxy="$http"
  [ -z "$https" ] || export https_proxy="$https"
}
