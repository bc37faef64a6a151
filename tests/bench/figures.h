// What the programs here have in common: how long something took, the middle of many values, and
// figures that a script can read.
#ifndef RESMGR_TESTS_BENCH_FIGURES_H_
#define RESMGR_TESTS_BENCH_FIGURES_H_

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"

namespace resmgr::bench {

using SteadyClock = std::chrono::steady_clock;

double millis_since(SteadyClock::time_point begin);
double seconds_since(SteadyClock::time_point begin);

// Of at least one value.
double quantile(std::vector<double> values, double q);
double median(const std::vector<double>& values);

// Runs `act` `times` times on `threads` threads; what each took, in milliseconds.
std::vector<double> measure(int threads, int times, const std::function<void()>& act);

// The values of each round, which a report compares round by round.
using Rounds = std::vector<std::vector<double>>;

// Figures as lines of JSON: {"figure", "unit", "labels", "rounds": [[…], …]}. Every figure is
// printed too, for whoever looks on. Thread-compatible.
class Figures {
 public:
  // Writes the file anew; empty: prints only. Throws std::runtime_error.
  explicit Figures(std::string file);

  void add(std::string_view name, std::string_view unit, const Json& labels, const Rounds& rounds);
  void add(std::string_view name, std::string_view unit, const Json& labels, double value) {
    add(name, unit, labels, Rounds{{value}});
  }

 private:
  const std::string file_;
};

// "--name value" pairs. Throws std::runtime_error for what is not among `known`.
class Options {
 public:
  Options(int argc, char** argv, const std::vector<std::string>& known);

  std::string text(const std::string& name, const std::string& otherwise) const;
  int integer(const std::string& name, int otherwise) const;
  double number(const std::string& name, double otherwise) const;

 private:
  std::vector<std::pair<std::string, std::string>> given_;
};

// Runs `body`; what it throws ends the program with a message and status 1.
int run_bench(const char* program, const std::function<void()>& body);

}  // namespace resmgr::bench

#endif  // RESMGR_TESTS_BENCH_FIGURES_H_
