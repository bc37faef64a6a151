#include "cli/completion.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "cli/choices.h"
#include "cli/command_line.h"
#include "cli/completion_source.h"
#include "cli/exit_code.h"
#include "cli/text.h"

namespace resmgr::cli {
namespace {

// The name of its value, as help shows it.
std::string metavar(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

bool is_shown(const CLI::Option& option) { return !option.get_group().empty(); }

// What has come of the line, word by word.
class Line {
 public:
  explicit Line(const CLI::App& root) : root_(root) {}

  void add(const std::string& word) {
    if (pending_ != nullptr) return take_value(word);
    if (only_arguments_ || word.size() < 2 || word.front() != '-') return add_argument(word);
    if (word == "--") {
      only_arguments_ = true;
    } else if (word.starts_with("--")) {
      add_long(word);
    } else {
      add_short(word);
    }
  }

  Completion at(const std::string& word) {
    if (pending_ != nullptr) {
      value_of(*pending_, "", word);
    } else if (!only_arguments_ && word.starts_with('-')) {
      option_at(word);
    } else if (command_ == nullptr) {
      command_at(word);
    } else if (const CLI::Option* const argument = next_argument()) {
      result_.given = arguments_;
      value_of(*argument, "", word);
    }
    return std::move(result_);
  }

 private:
  // The command's options, and those that every command takes.
  template <typename Fn>
  void each_option(Fn&& fn) const {
    for (const CLI::App* const app : {command_, &root_}) {
      if (app == nullptr) continue;
      for (const CLI::Option* const option : app->get_options()) {
        // Both have the help's.
        const bool twice = app == &root_ && command_ != nullptr && option == root_.get_help_ptr();
        if (!option->get_positional() && !twice) fn(*option);
      }
    }
  }

  template <typename Is>
  const CLI::Option* find(Is&& is) const {
    const CLI::Option* found = nullptr;
    each_option([&](const CLI::Option& option) {
      if (found == nullptr && is(option)) found = &option;
    });
    return found;
  }
  const CLI::Option* find_long(const std::string& name) const {
    return find([&](const CLI::Option& option) { return option.check_lname(name); });
  }

  void take_value(const std::string& value) {
    remember(*pending_, value);
    pending_ = nullptr;
  }

  void remember(const CLI::Option& option, const std::string& value) {
    if (option.check_lname("agent")) result_.globals.agent = value;
    if (option.check_lname("token-file")) result_.globals.token_file = value;
    if (option.check_lname("ca-file")) result_.globals.ca_file = value;
  }

  void add_long(const std::string& word) {
    const std::size_t equals = word.find('=');
    const CLI::Option* const option = find_long(word.substr(2, equals - 2));
    if (option == nullptr || !takes_value(*option)) return;
    if (equals == std::string::npos) {
      pending_ = option;
    } else {
      remember(*option, word.substr(equals + 1));
    }
  }

  // Several may stand together; the rest of the word is the value of the first that takes one.
  void add_short(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string name(1, word[i]);
      const CLI::Option* const option =
          find([&](const CLI::Option& one) { return one.check_sname(name); });
      if (option == nullptr) return;
      if (!takes_value(*option)) continue;
      if (i + 1 == word.size()) pending_ = option;
      return;
    }
  }

  void add_argument(const std::string& word) {
    if (command_ != nullptr) return arguments_.push_back(word);
    for (const CLI::App* const one : root_.get_subcommands([](const CLI::App*) { return true; })) {
      if (one->check_name(word)) command_ = one;
    }
    // Of a command that there is not nothing is known.
    if (command_ == nullptr) only_arguments_ = is_lost_ = true;
  }

  const CLI::Option* next_argument() const {
    std::size_t left = arguments_.size();
    for (const CLI::Option* const option : command_->get_options()) {
      if (!option->get_positional()) continue;
      const auto most = static_cast<std::size_t>(option->get_items_expected_max());
      if (left < most) return option;
      left -= most;
    }
    return nullptr;
  }

  void command_at(const std::string& word) {
    if (is_lost_) return;
    for (const CLI::App* const one : root_.get_subcommands([](const CLI::App*) { return true; })) {
      offer(one->get_name(), one->get_description(), word);
      for (const std::string& alias : one->get_aliases()) {
        offer(alias, one->get_description(), word);
      }
    }
  }

  void option_at(const std::string& word) {
    if (const std::size_t equals = word.find('='); equals != std::string::npos) {
      const CLI::Option* const option =
          word.starts_with("--") ? find_long(word.substr(2, equals - 2)) : nullptr;
      if (option != nullptr && takes_value(*option)) {
        value_of(*option, word.substr(0, equals + 1), word.substr(equals + 1));
      }
      return;
    }
    each_option([&](const CLI::Option& option) {
      if (!is_shown(option) || (command_ != nullptr && &option == root_.get_version_ptr())) return;
      for (const std::string& name : option.get_lnames()) {
        offer("--" + name, option.get_description(), word);
      }
    });
  }

  void value_of(const CLI::Option& option, std::string before, std::string typed) {
    // Of a list the last one is completed.
    const char delimiter = option.get_delimiter();
    const std::size_t comma = delimiter == '\0' ? std::string::npos : typed.rfind(delimiter);
    if (comma != std::string::npos) {
      before += typed.substr(0, comma + 1);
      typed.erase(0, comma + 1);
    }
    result_.before = std::move(before);
    result_.typed = typed;
    result_.takes =
        taken_by(command_ == nullptr ? root_ : *command_, option).value_or(Takes::any_text);
    for (const std::string& choice : choices_of(option)) offer(choice, "", typed);
  }

  void offer(const std::string& word, const std::string& description, const std::string& typed) {
    if (word.starts_with(typed)) result_.candidates.push_back({result_.before + word, description});
  }

  const CLI::App& root_;
  const CLI::App* command_ = nullptr;
  const CLI::Option* pending_ = nullptr;  // whose value comes next
  bool only_arguments_ = false;
  bool is_lost_ = false;
  std::vector<std::string> arguments_;
  Completion result_;
};

// "~/x": the shell has not come to that yet.
std::string at_home(const std::string& path, const Surroundings& surroundings) {
  const auto home = surroundings.variable("HOME");
  return home && path.starts_with("~/") ? *home + path.substr(1) : path;
}

}  // namespace

std::optional<Takes> taken_by(const CLI::App& command, const CLI::Option& option) {
  if (!choices_of(option).empty()) return Takes::choice;
  const std::string name = metavar(option);
  if (name == "ID" || name == "TASK") {
    // What has ended can still be shown.
    const std::string& verb = command.get_name();
    const bool active = verb == "stop" || verb == "extend" || verb == "why";
    return active ? Takes::active_task : Takes::task;
  }
  constexpr std::array<std::pair<std::string_view, Takes>, 15> kNames = {{
      {"SERVICE", Takes::service},
      {"NAME", Takes::service},
      {"SINK", Takes::sink},
      {"UUID", Takes::user},
      {"FILE", Takes::file},
      {"URL|SOCKET", Takes::file},
      {"SEQ", Takes::any_text},
      {"N", Takes::any_text},
      {"TIME", Takes::any_text},
      {"DURATION", Takes::any_text},
      {"LENGTH", Takes::any_text},
      {"KEY", Takes::any_text},
      {"TEXT", Takes::any_text},
      {"ROLE", Takes::any_text},
      {"", Takes::any_text},  // a flag
  }};
  for (const auto& [known, takes] : kNames) {
    if (name == known) return takes;
  }
  return std::nullopt;
}

Completion complete(const CLI::App& root, const std::vector<std::string>& words) {
  Line line(root);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) line.add(words[i]);
  return line.at(words.empty() ? "" : words.back());
}

int run_completion(const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  std::vector<std::string> words = arguments;
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  Invocation invocation;
  Completion completion = complete(*make_command_line(invocation), words);
  for (std::string* const path :
       {&completion.globals.agent, &completion.globals.token_file, &completion.globals.ca_file}) {
    *path = at_home(*path, surroundings);
  }
  std::vector<Candidate> candidates = completion.candidates;
  std::ranges::move(told_by_agent(completion, surroundings), std::back_inserter(candidates));
  for (const auto& [word, description] : candidates) {
    surroundings.out.write(printable(word) +
                           (description.empty() ? "" : "\t" + printable(description)) + "\n");
  }
  surroundings.out.write(completion.takes == Takes::file ? ":files\n" : ":none\n");
  return kDone;
}

}  // namespace resmgr::cli
