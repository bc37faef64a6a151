// Words that an option takes: the tree of commands tells them, so that completion offers no others.
#ifndef RESMGR_CLI_CHOICES_H_
#define RESMGR_CLI_CHOICES_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace resmgr::cli {

// Takes these alone.
CLI::Validator one_of(const std::vector<std::string>& words);
// Takes everything: what the command makes of it says more than a list.
CLI::Validator such_as(const std::vector<std::string>& words);

// Of an option that has one of these, or a set of the library's own (CLI::IsMember); empty: any
// text will do.
std::vector<std::string> choices_of(const CLI::Option& option);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_CHOICES_H_
