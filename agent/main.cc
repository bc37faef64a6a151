// resmgr-agent: flags, signals, run.

#include <malloc.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "agent/config_commands.h"
#include "agent/journal_commands.h"
#include "agent/settings.h"
#include "agent/watchdog.h"
#include "common/config.h"
#include "common/error.h"
#include "common/log.h"
#include "common/version.h"

namespace resmgr {
namespace {

constexpr char kDefaultConfig[] = "/etc/resmgr/resmgr.toml";

struct Flags {
  std::string config = kDefaultConfig;
  bool config_given = false;
  std::string data_dir;
  std::string run_dir;
  std::vector<std::string> listen;
  std::string journal_file;
  std::string output;  // of `config`
};

Config load_config(const Flags& flags) {
  Config::Overrides overrides;
  if (!flags.data_dir.empty()) overrides["agent.data_dir"] = flags.data_dir;
  if (!flags.run_dir.empty()) overrides["agent.run_dir"] = flags.run_dir;
  std::string listen;
  for (const auto& address : flags.listen) listen += (listen.empty() ? "" : ",") + address;
  if (!listen.empty()) overrides["server.listen"] = listen;
  return Config::load(agent_keys(), flags.config, flags.config_given, process_environment,
                      overrides);
}

// Signals come to the main thread alone, by sigwait.
sigset_t block_signals() {
  sigset_t handled;
  sigemptyset(&handled);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&handled, signal);
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return handled;
}

// With the time, as Type=notify-reload wants it.
void tell_of_reload() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const long long micros = 1'000'000LL * now.tv_sec + now.tv_nsec / 1'000;
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", micros);
}

// `at_start` is what the agent was started with.
void reload(Agent& agent, const Flags& flags, const Config& at_start) {
  try {
    const Config config = load_config(flags);
    agent.reload(settings_from(config));
    for (const std::string& key : at_start.changed_in(config)) {
      if (takes_effect_on_reload(key)) continue;
      log::warning("Another {Key} is configured ({Origin}): it takes effect at the next start",
                   {{"Key", key}, {"Origin", config.origin(key)}});
    }
    log::info("Reloaded the configuration");
  } catch (const Error& error) {
    log::error("Reload refused, all stays as it was: {Reason}", {{"Reason", error.message()}});
  } catch (const std::exception& error) {
    log::error("Reload failed: {Reason}", {{"Reason", error.what()}});
  }
}

void wait_for_end(Agent& agent, const sigset_t& handled, const Flags& flags,
                  const Config& at_start) {
  int signal = 0;
  while (sigwait(&handled, &signal) == 0) {
    if (signal != SIGHUP) break;
    tell_of_reload();
    reload(agent, flags, at_start);
    sd_notify(0, "READY=1");
  }
  // A second one while the agent stops ends the process at once: nothing depends on a clean stop.
  pthread_sigmask(SIG_UNBLOCK, &handled, nullptr);
  ::signal(SIGHUP, SIG_IGN);
}

int run(const Flags& flags) {
  const sigset_t handled = block_signals();
  // Many short-lived threads must not leave an arena of the heap each.
  mallopt(M_ARENA_MAX, 2);
  const Config config = load_config(flags);
  const Settings settings = settings_from(config);
  log::configure(settings.log_level, log::Format::automatic);
  {
    Agent agent(settings);
    agent.run();
    sd_notify(0, "READY=1");
    std::optional<Watchdog> watchdog;
    if (const auto limit = Watchdog::time_limit()) {
      watchdog.emplace(*limit, [&](Millis patience) { return agent.is_alive(patience); });
      watchdog->run();
    }
    wait_for_end(agent, handled, flags, config);
    watchdog.reset();
    sd_notify(0, "STOPPING=1");
  }
  log::info("Agent stopped");
  return EXIT_SUCCESS;
}

int report(const Error& error) {
  std::fprintf(stderr, "resmgr-agent: %s\n", error.message().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "Try: %s\n", error.hint().c_str());
  return EXIT_FAILURE;
}

using JournalCommand = int (*)(const Settings& settings, const std::string& file);

// The commands of `journal`, each with what it does.
std::map<CLI::App*, JournalCommand> add_journal_commands(CLI::App& app, std::string& file) {
  auto* journal = app.add_subcommand("journal", "Look after the journal")->fallthrough();
  journal->require_subcommand(1);
  std::map<CLI::App*, JournalCommand> commands;
  const auto add = [&](const char* name, const char* description, JournalCommand run) {
    auto* command = journal->add_subcommand(name, description)->fallthrough();
    commands[command] = run;
    return command;
  };
  add("check", "Say whether it is whole", check_journal_file)
      ->add_option("file", file, "Another one, such as a backup (default: the agent's)");
  add("backup", "Copy it into a new file, also while the agent runs", back_up_journal)
      ->add_option("file", file, "The file to make")
      ->required();
  add("restore", "Put a backup in its place; the agent must be stopped", restore_journal)
      ->add_option("file", file, "The backup")
      ->required();
  add("rebuild", "Make a new one where it is lost or damaged; the agent must be stopped",
      [](const Settings& settings, const std::string&) { return rebuild_journal(settings); });
  return commands;
}

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Starts, watches and stops the containers that users ask for", "resmgr-agent");
  app.set_version_flag("--version", std::string("resmgr-agent ") + kVersion);
  auto* config_option =
      app.add_option("--config", flags.config, "Configuration file")->capture_default_str();
  app.add_option("--data-dir", flags.data_dir, "Directory of the journal and the keys");
  app.add_option("--run-dir", flags.run_dir, "Directory of the socket and agent.json");
  app.add_option("--listen", flags.listen, "Address to listen on, HOST:PORT; may be repeated")
      ->allow_extra_args(false);
  auto* config = app.add_subcommand("config", "Look at the configuration");
  config->require_subcommand(1);
  auto* check = config->add_subcommand(
      "check", "Say whether an agent could start with it, and reach what it names");
  auto* show = config->add_subcommand("show", "Every key, its value, and where it came from");
  auto* version = app.add_subcommand("version", "Print the version");
  for (auto* command : {config, check, show, version}) command->fallthrough();
  for (auto* command : {check, show}) {
    command->add_option("-o,--output", flags.output, "table, tsv or json")
        ->check(CLI::IsMember({"table", "tsv", "json"}));
  }
  const auto journal_commands = add_journal_commands(app, flags.journal_file);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : 2;
  }
  flags.config_given = config_option->count() > 0;
  try {
    if (version->parsed()) {
      std::printf("resmgr-agent %s\n", kVersion);
      return EXIT_SUCCESS;
    }
    const auto output = config_output_from(flags.output);
    if (check->parsed()) {
      return check_config([&] { return load_config(flags); }, flags.config, output);
    }
    if (show->parsed()) return show_config(load_config(flags), output);
    for (const auto& [command, run_command] : journal_commands) {
      if (!command->parsed()) continue;
      return run_command(settings_from(load_config(flags)), flags.journal_file);
    }
    return run(flags);
  } catch (const Error& error) {
    return report(error);
  } catch (const std::exception& error) {
    return report(Error(ErrorKind::internal, error.what()));
  }
}

}  // namespace
}  // namespace resmgr

int main(int argc, char** argv) { return resmgr::main(argc, argv); }
