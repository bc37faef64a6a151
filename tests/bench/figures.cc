#include "tests/bench/figures.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace resmgr::bench {
namespace {

std::string words_of(const Json& labels) {
  std::string words;
  for (const auto& [name, value] : labels.items()) {
    words += ' ' + name + '=' + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return words;
}

}  // namespace

double millis_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

double seconds_since(SteadyClock::time_point begin) { return millis_since(begin) / 1e3; }

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5));
}

double median(const std::vector<double>& values) { return quantile(values, 0.5); }

std::vector<double> measure(int threads, int times, const std::function<void()>& act) {
  std::vector<double> taken;
  std::mutex mutex;
  std::exception_ptr failure;
  std::atomic<int> left{times};
  const auto work = [&] {
    while (left.fetch_sub(1) > 0) {
      const auto begin = SteadyClock::now();
      act();
      const double millis = millis_since(begin);
      const std::lock_guard lock(mutex);
      taken.push_back(millis);
    }
  };
  std::vector<std::thread> crew;
  for (int i = 0; i < threads; ++i) {
    crew.emplace_back([&] {
      try {
        work();
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    });
  }
  for (auto& thread : crew) thread.join();
  if (failure) std::rethrow_exception(failure);
  return taken;
}

Figures::Figures(std::string file) : file_(std::move(file)) {
  if (!file_.empty() && !std::ofstream(file_)) {
    throw std::runtime_error("cannot write '" + file_ + "'");
  }
}

void Figures::add(std::string_view name, std::string_view unit, const Json& labels,
                  const Rounds& rounds) {
  std::vector<double> all;
  for (const auto& round : rounds) all.insert(all.end(), round.begin(), round.end());
  if (all.empty()) throw std::runtime_error("no value of '" + std::string(name) + "'");
  const std::string words = std::string(name) + words_of(labels);
  std::printf("%-56s %12.3f %.*s", words.c_str(), median(all), static_cast<int>(unit.size()),
              unit.data());
  if (all.size() > 1) {
    std::printf("  (%.3f to %.3f, %zu values)", quantile(all, 0), quantile(all, 1), all.size());
  }
  std::printf("\n");
  static_cast<void>(std::fflush(stdout));
  if (file_.empty()) return;
  std::ofstream(file_, std::ios::app)
      << dump_json({{"figure", name}, {"unit", unit}, {"labels", labels}, {"rounds", rounds}})
      << '\n';
}

Options::Options(int argc, char** argv, const std::vector<std::string>& known) {
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (std::find(known.begin(), known.end(), name) == known.end() || i + 1 == argc) {
      throw std::runtime_error("cannot use option '" + name +
                               "': it is not known, or has no value");
    }
    given_.emplace_back(name, argv[i + 1]);
  }
}

std::string Options::text(const std::string& name, const std::string& otherwise) const {
  for (const auto& [given, value] : given_) {
    if (given == name) return value;
  }
  return otherwise;
}

int Options::integer(const std::string& name, int otherwise) const {
  const std::string value = text(name, "");
  return value.empty() ? otherwise : std::stoi(value);
}

double Options::number(const std::string& name, double otherwise) const {
  const std::string value = text(name, "");
  return value.empty() ? otherwise : std::stod(value);
}

int run_bench(const char* program, const std::function<void()>& body) {
  try {
    body();
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "%s: %s\n", program, error.what()));
    return EXIT_FAILURE;
  }
}

}  // namespace resmgr::bench
