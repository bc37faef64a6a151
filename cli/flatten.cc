#include "cli/flatten.h"

#include <cstddef>

namespace resmgr::cli {

std::string plain_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : dump_json(value);
}

void flatten(const Json& value, const std::string& name,
             const std::function<void(const std::vector<std::string>&)>& each) {
  if (!value.is_structured()) {
    each({name, plain_text(value)});
    return;
  }
  std::size_t number = 0;
  for (auto member = value.begin(); member != value.end(); ++member) {
    std::string path = name.empty() ? "" : name + ".";
    path += value.is_object() ? member.key() : std::to_string(number++);
    flatten(*member, path, each);
  }
}

}  // namespace resmgr::cli
