# Builds an image from Debian's packages alone, where no image registry can be reached: a minimal
# Debian of the host's release, packages in it, and an unprivileged user. Sourced by the scripts that
# make one, after common.sh and debian.sh; they set
#   default_tag        the image's name
#   packages           an array
#   user, port         of the service, which runs as uid 1000, gid 100
#   command            its command line, a JSON array
#   what               in a few words, for the image's history
# and call build_debian_image "$@".
# shellcheck shell=bash

readonly uid=1000 gid=100 revision_label=org.opencontainers.image.revision

usage() {
  cat <<TEXT
Usage: ${0##*/} [--force] [TAG]
Builds the image TAG (default: ${default_tag:?}) from the packages of this host's Debian release.
Does nothing where an image of that name was made by this very script; --force builds it anew.
Needs root, debootstrap and a Docker engine; takes minutes, and 1 GB in \$TMPDIR (or /var/tmp).
TEXT
}

# Changes with whatever of the scripts would make another image.
revision() {
  { cat "$0" "${BASH_SOURCE[0]}" && host_release; } | sha256sum | cut -c 1-64
}

is_up_to_date() {
  local present
  present=$(docker image inspect --format "{{index .Config.Labels \"$revision_label\"}}" "$tag" 2>/dev/null) &&
    [ "$present" = "$(revision)" ]
}

check_host() {
  [ "$(id -u)" -eq 0 ] || fail 'cannot make a root file system: only root may' "sudo $0"
  local program
  for program in debootstrap docker apt-get tar; do
    command -v "$program" >/dev/null ||
      fail "cannot find the program '$program'" "apt-get install $program"
  done
  docker info >/dev/null 2>&1 ||
    fail 'cannot import an image: no Docker engine answers' 'systemctl start docker'
}

in_root() {
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
}

make_root() {
  local mirror
  mirror=$(mirror_of_host)
  # Certificates: a mirror may be reached by https.
  debootstrap --variant=minbase --include=ca-certificates "$(host_release)" "$root" "$mirror"
  mirrors_for "$(host_release)" >"$root/etc/apt/sources.list"
}

install_packages() {
  # Licences stay, what else is documentation goes.
  cat >"$root/etc/dpkg/dpkg.cfg.d/small" <<'TEXT'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
TEXT
  # No package may start a service while it is installed.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  in_root apt-get -q update
  in_root apt-get -q -y dist-upgrade
  in_root apt-get -q -y install --no-install-recommends "${packages[@]:?}"
}

add_user() {
  in_root useradd --uid "$uid" --gid "$gid" --create-home --shell /bin/bash "${user:?}"
  # A volume that is mounted here first takes over this owner.
  in_root install -d -o "$uid" -g "$gid" "/home/$user/work"
}

# What belongs to this build or this host and not to the image.
tidy() {
  in_root apt-get -q clean
  rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/apt/sources.list" "$root/etc/resolv.conf" \
    "$root/etc/hostname" "$root"/var/log/*.log "$root"/var/log/apt/*
  find "$root/var/lib/apt/lists" "$root/var/cache" -type f -delete
  # From before dpkg was told to leave them out.
  find "$root/usr/share/doc" ! -type d ! -name copyright -delete
  find "$root/usr/share/man" "$root/usr/share/locale" -mindepth 1 -delete
}

# debootstrap mounts these in the new root; should it die, rm must not walk into them.
clean_up() {
  local name
  for name in proc sys; do
    if mountpoint -q "$root/$name"; then umount "$root/$name"; fi
  done
  rm -rf --one-file-system "$work"
}

import_root() {
  tar -C "$root" --numeric-owner --one-file-system -c . | docker import \
    --change "USER $uid:$gid" \
    --change "WORKDIR /home/$user" \
    --change "ENV HOME=/home/$user LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin" \
    --change "EXPOSE ${port:?}" \
    --change "LABEL $revision_label=$(revision)" \
    --change "CMD ${command:?}" \
    --message "${what:?}" - "$tag"
}

build_debian_image() {
  local force=no
  case "${1:-}" in
    -h | --help)
      usage
      exit 0
      ;;
    --force)
      force=yes
      shift
      ;;
    -*)
      usage >&2
      exit 2
      ;;
  esac
  [ $# -le 1 ] || {
    usage >&2
    exit 2
  }

  tag=${1:-$default_tag}
  if [ "$force" = no ] && is_up_to_date; then
    say "$tag is up to date"
    exit 0
  fi
  check_host
  take_proxies
  work=$(mktemp -d "${TMPDIR:-/var/tmp}/resmgr-image.XXXXXX")
  root=$work/root
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  say "building $tag in $work"
  make_root
  install_packages
  add_user
  tidy
  import_root
  say "built $tag"
}
