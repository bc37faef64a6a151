#include "agent/journal/head_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>

namespace resmgr::journal {
namespace {

constexpr std::size_t kDigits = 19;  // of the greatest sequence number

bool is_whole(const std::string& file, const Journal& journal) {
  std::ifstream in(file);
  std::string id;
  std::int64_t head = 0;
  return in >> id >> head && id == journal.id() && journal.head() >= head;
}

}  // namespace

HeadMark::HeadMark(std::string file, Journal& journal)
    : file_(std::move(file)), journal_(journal), was_whole_(is_whole(file_, journal)) {}

HeadMark::~HeadMark() {
  if (subscription_ != 0) journal_.unsubscribe(subscription_);
  if (descriptor_ >= 0) close(descriptor_);
}

void HeadMark::follow() {
  descriptor_ = open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  subscription_ = journal_.subscribe([this](std::int64_t head) { write(head); });
  write(journal_.head());
}

// One call, of always as many bytes: a reader has the one line or the other. An old mark is worse
// than none, which is of no journal.
void HeadMark::write(std::int64_t head) {
  const std::string digits = std::to_string(head);
  const std::string line =
      journal_.id() + ' ' + std::string(kDigits - digits.size(), '0') + digits + '\n';
  const auto size = static_cast<ssize_t>(line.size());
  if (descriptor_ < 0 || pwrite(descriptor_, line.data(), line.size(), 0) != size) {
    unlink(file_.c_str());
  }
}

}  // namespace resmgr::journal
