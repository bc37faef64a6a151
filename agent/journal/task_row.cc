#include "agent/journal/task_row.h"

#include <array>

namespace resmgr::journal {
namespace {

constexpr std::array kPhases = {Phase::admitted, Phase::started, Phase::ready,
                                Phase::stopping, Phase::ended,   Phase::removed};

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::admitted:
      return "admitted";
    case Phase::started:
      return "started";
    case Phase::ready:
      return "ready";
    case Phase::stopping:
      return "stopping";
    case Phase::ended:
      return "ended";
    case Phase::removed:
      return "removed";
  }
  return "removed";
}

std::optional<Phase> phase_from(std::string_view name) {
  for (const Phase phase : kPhases) {
    if (to_string(phase) == name) return phase;
  }
  return std::nullopt;
}

}  // namespace resmgr::journal
