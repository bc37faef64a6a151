#include "agent/sinks/sink.h"

#include <string>

#include "common/crypto.h"

namespace resmgr::sinks {

std::string digest_of(const Event& event) {
  std::string text = std::to_string(event.seq) + "\n" + std::to_string(to_millis(event.time));
  // With its length ahead of each, so that no two events give one text.
  for (const std::string* const part :
       {&event.type, &event.task_id, &event.user_id, &event.details, &event.task}) {
    text.append("\n").append(std::to_string(part->size())).append(" ").append(*part);
  }
  return sha256_hex(text);
}

}  // namespace resmgr::sinks
