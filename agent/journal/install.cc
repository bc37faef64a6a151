#include "agent/journal/install.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "common/error.h"
#include "common/time_format.h"

namespace resmgr::journal {
namespace {

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

[[noreturn]] void fail(const std::string& verb, const std::string& path) {
  throw Error(ErrorKind::unavailable,
              "cannot " + verb + " file '" + path + "': " + std::strerror(errno));
}

void move(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail("move", from);
}

void remove_if_there(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) fail("remove", path);
}

// So that the steps before it are on disk before the next one.
void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("open", folder);
  const bool good = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  errno = error;
  if (!good) fail("write", folder);
}

// The superuser may be at work for an agent that runs as somebody else.
void give_to_owner_of_folder(const std::string& path) {
  struct stat folder {};
  if (geteuid() != 0) return;
  const std::string name = std::filesystem::path(path).parent_path();
  if (stat(name.empty() ? "." : name.c_str(), &folder) != 0 ||
      chown(path.c_str(), folder.st_uid, folder.st_gid) != 0) {
    fail("give away", path);
  }
}

// "2026-11-24T23:04:05.123Z" without what is awkward in a name.
std::string stamp(Instant now) {
  std::string text;
  for (const char c : format_rfc3339(now)) {
    if (c != ':' && c != '-' && c != '.') text += c;
  }
  return text;
}

std::string new_file(const std::string& journal) { return journal + ".new"; }
// While it is there the journal is not opened.
std::string incoming_file(const std::string& journal) { return journal + ".incoming"; }

std::string name_aside(const std::string& journal, Instant now) {
  std::string name = journal + "." + stamp(now);
  for (int i = 2; exists(name) || exists(name + "-wal"); ++i) {
    name = journal + "." + stamp(now) + "-" + std::to_string(i);
  }
  return name;
}

}  // namespace

void refuse_half_installed(const std::string& journal) {
  if (!exists(incoming_file(journal))) return;
  throw Error(ErrorKind::corrupt, "a restore or rebuild of it was cut off",
              "run resmgr-agent journal restore or rebuild again");
}

std::string begin_install(const std::string& journal) {
  for (const char* companion : {"-wal", "-shm", "-journal", ""}) {
    remove_if_there(new_file(journal) + companion);
  }
  return new_file(journal);
}

// The old file keeps its name until the new one takes it, so that at no moment there is no journal,
// in whose place an agent would make an empty one. Its log goes before: beside the new file it
// would be read as that one's.
std::string install(const std::string& journal, Instant now) {
  std::string aside;
  if (exists(new_file(journal) + "-wal")) {
    throw Error(ErrorKind::unavailable, "cannot move file '" + new_file(journal) +
                                            "': its log could not be written into it");
  }
  give_to_owner_of_folder(new_file(journal));
  move(new_file(journal), incoming_file(journal));
  sync_folder_of(journal);
  if (exists(journal)) {
    aside = name_aside(journal, now);
    if (link(journal.c_str(), aside.c_str()) != 0) fail("keep", journal);
  }
  if (exists(journal + "-wal")) {
    move(journal + "-wal", (aside.empty() ? name_aside(journal, now) : aside) + "-wal");
  }
  remove_if_there(journal + "-shm");
  sync_folder_of(journal);
  move(incoming_file(journal), journal);
  sync_folder_of(journal);
  return aside;
}

}  // namespace resmgr::journal
