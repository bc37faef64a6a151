#include "cli/choices.h"

#include <algorithm>
#include <cstddef>

#include "cli/text.h"

namespace resmgr::cli {
namespace {

// As the library describes its own sets.
std::string set_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "{" : ",") + word;
  return text + "}";
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace

CLI::Validator one_of(const std::vector<std::string>& words) {
  return CLI::Validator(
      [words](const std::string& word) {
        return std::find(words.begin(), words.end(), word) != words.end()
                   ? std::string()
                   : "'" + printable(word) + "' is not " + listed(words);
      },
      set_of(words));
}

CLI::Validator such_as(const std::vector<std::string>& words) {
  return CLI::Validator([](const std::string&) { return std::string(); }, set_of(words));
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  // What follows the colon is how a validator describes itself.
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find(":{");
  const std::size_t end = type.find('}', begin);
  std::vector<std::string> words;
  if (begin == std::string::npos || end == std::string::npos) return words;
  for (std::size_t at = begin + 2; at < end;) {
    const std::size_t comma = std::min(type.find(',', at), end);
    words.push_back(type.substr(at, comma - at));
    at = comma + 1;
  }
  return words;
}

}  // namespace resmgr::cli
