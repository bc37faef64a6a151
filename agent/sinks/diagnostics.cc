#include "agent/sinks/diagnostics.h"

#include <exception>
#include <utility>

namespace resmgr::sinks {

Diagnostics::Diagnostics(SpoolOptions options, ClefSource source, log::Level least)
    : source_(std::move(source)), spool_(std::move(options)) {
  log::set_collector(this, least);
}

Diagnostics::~Diagnostics() { log::set_collector(nullptr); }

void Diagnostics::collect(const log::Entry& entry) noexcept {
  try {
    spool_.append(clef_line(entry, source_));
  } catch (const std::exception&) {
    // It stands on standard error all the same.
  }
}

}  // namespace resmgr::sinks
