#include "cli/task_finder.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <utility>
#include <vector>

#include "cli/text.h"
#include "common/error.h"
#include "common/ids.h"

namespace resmgr::cli {
namespace {

constexpr std::ptrdiff_t kFewestDigits = 4;
constexpr std::size_t kMostCandidates = 10;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace

std::string find_task_id(ApiClient& api, std::string_view part) {
  if (auto whole = parse_uuid(part)) return *std::move(whole);
  const std::string wanted = lower_case(part);
  const std::string what = "cannot find task '" + printable(part) + "'";
  const auto dashes = std::count(wanted.begin(), wanted.end(), '-');
  if (wanted.find_first_not_of("0123456789abcdef-") != std::string::npos ||
      std::ssize(wanted) - dashes < kFewestDigits) {
    throw Error(ErrorKind::usage,
                what + ": it is no task id, nor 4 or more digits of the beginning or end of one",
                "resmgr list");
  }
  TaskQuery query;
  query.id_part = wanted;
  std::vector<std::string> found;
  api.tasks(query, [&](const Json& task) {
    std::string id = string_or(task, "taskId");
    if (id_matches(id, wanted)) found.push_back(std::move(id));
    return found.size() <= kMostCandidates;
  });
  if (found.empty()) {
    throw Error(ErrorKind::not_found, what + ": no task has such an id", "resmgr list --all");
  }
  if (found.size() == 1) return found.front();
  Error error(ErrorKind::usage, what + ": several tasks fit", "more digits of the id");
  error.task_ids = std::move(found);
  throw error;
}

std::vector<std::string> named_tasks(const Surroundings& surroundings,
                                     const std::vector<std::string>& arguments) {
  std::vector<std::string> ids;
  for (const std::string& argument : arguments) {
    if (argument != "-") {
      ids.push_back(argument);
      continue;
    }
    std::istringstream words(surroundings.read_input());
    for (std::string word; words >> word;) ids.push_back(word);
  }
  std::vector<std::string> distinct;
  for (std::string& id : ids) {
    if (std::find(distinct.begin(), distinct.end(), id) == distinct.end()) {
      distinct.push_back(std::move(id));
    }
  }
  return distinct;
}

}  // namespace resmgr::cli
