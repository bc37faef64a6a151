// What could stand at the cursor of a command line that is being typed: for the shells'
// completions, which ask `resmgr __complete -- WORD…`. Commands, options and their words come from
// the tree that parses them; names and ids from the agent (completion_source.h).
#ifndef RESMGR_CLI_COMPLETION_H_
#define RESMGR_CLI_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"

namespace resmgr::cli {

// The command that is in no help: `resmgr __complete -- WORD…`, the last word being that at the
// cursor.
inline constexpr char kCompleteCommand[] = "__complete";

struct Candidate {
  std::string word;
  std::string description;  // may be empty
};

// What an argument takes.
enum class Takes { any_text, choice, file, service, active_task, task, sink, user };
// By the option's place in the tree and the name of its value; empty: by a name that none has yet.
std::optional<Takes> taken_by(const CLI::App& command, const CLI::Option& option);

struct Completion {
  std::vector<Candidate> candidates;  // of the tree
  Takes takes = Takes::any_text;      // what is to be asked elsewhere; nothing, if it is `choice`
  std::string before;                 // in the word at the cursor, before what is completed
  std::string typed;                  // so far, of what is completed
  std::vector<std::string> given;     // other arguments of the same kind
  GlobalOptions globals;              // that stand in the line
};
Completion complete(const CLI::App& root, const std::vector<std::string>& words);

// Carries the command out: a line for each candidate, the description after a tab, and a last line
// ":files" or ":none", which says whether names of files are offered too. Silent whatever fails.
int run_completion(const std::vector<std::string>& arguments, const Surroundings& surroundings);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_COMPLETION_H_
