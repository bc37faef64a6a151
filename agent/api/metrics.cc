#include "agent/api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <utility>

#include "agent/api/router.h"

namespace resmgr::api {
namespace {

using prometheus::Labels;

// Upper bounds in seconds, for what takes from half a millisecond to minutes.
const prometheus::Histogram::BucketBoundaries kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                         0.05,   0.1,   0.25,   0.5,   1.0,  2.5,
                                                         5.0,    10.0,  30.0,   120.0};

double seconds(std::chrono::nanoseconds time) {
  return std::max(0.0, std::chrono::duration<double>(time).count());
}

constexpr int kLeastCode = 100;
constexpr std::size_t kCodes = 500;

// A request costs an increment, not a search by the texts of its labels.
struct RouteMeter {
  const Route* route = nullptr;
  Labels labels;
  prometheus::Histogram* times = nullptr;
  std::array<std::atomic<prometheus::Counter*>, kCodes> by_status{};
};

}  // namespace

struct Metrics::State {
  RouteMeter& meter_of(const Route* route) {
    const auto found = std::ranges::find_if(
        meters, [&](const std::unique_ptr<RouteMeter>& meter) { return meter->route == route; });
    return found == meters.end() ? *meters.front() : **found;
  }
  void add_meter(const Route* route) {
    // A stranger's paths and methods must not make the list grow.
    auto meter = std::make_unique<RouteMeter>();
    meter->route = route;
    meter->labels = {{"route", route == nullptr ? "none" : route->pattern},
                     {"method", route == nullptr ? "any" : std::string(to_string(route->method))}};
    meter->times = &request_times.Add(meter->labels, kBounds);
    meters.push_back(std::move(meter));
  }

  prometheus::Registry registry;
  std::vector<std::unique_ptr<RouteMeter>> meters;  // the first one is for no route
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("resmgr_http_requests_total")
                                                          .Help("Requests that were answered.")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& request_times =
      prometheus::BuildHistogram()
          .Name("resmgr_http_request_duration_seconds")
          .Help("Time from a request's head to the end of its answer.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& engine_calls =
      prometheus::BuildCounter()
          .Name("resmgr_engine_calls_total")
          .Help("Calls to the container engine.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& engine_errors =
      prometheus::BuildCounter()
          .Name("resmgr_engine_errors_total")
          .Help("Calls that the container engine refused or did not answer.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& engine_times =
      prometheus::BuildHistogram()
          .Name("resmgr_engine_call_duration_seconds")
          .Help("Time that the container engine took for a call.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& start_times =
      prometheus::BuildHistogram()
          .Name("resmgr_start_phase_duration_seconds")
          .Help(
              "Starts that succeeded: to the start of the container, and from there to readiness.")
          .Register(registry);
  prometheus::Histogram& to_container = start_times.Add({{"phase", "container"}}, kBounds);
  prometheus::Histogram& to_readiness = start_times.Add({{"phase", "readiness"}}, kBounds);
};

Metrics::Metrics() : state_(std::make_unique<State>()) { state_->add_meter(nullptr); }

Metrics::~Metrics() = default;

void Metrics::set_routes(const std::vector<const Route*>& routes) {
  state_->meters.resize(1);
  for (const Route* const route : routes) state_->add_meter(route);
}

void Metrics::request(const Route* route, int status, std::chrono::nanoseconds took) {
  RouteMeter& meter = state_->meter_of(route);
  meter.times->Observe(seconds(took));
  const auto index = static_cast<std::size_t>(std::max(0, status - kLeastCode));
  if (index >= kCodes) return;
  prometheus::Counter* counter = meter.by_status.at(index).load(std::memory_order_acquire);
  if (counter == nullptr) {
    Labels labels = meter.labels;
    labels.emplace("status", std::to_string(status));
    // Whoever comes at the same time is given the same one.
    counter = &state_->requests.Add(labels);
    meter.by_status.at(index).store(counter, std::memory_order_release);
  }
  counter->Increment();
}

void Metrics::engine_call(std::string_view operation, bool failed, std::chrono::nanoseconds took) {
  const Labels labels = {{"operation", std::string(operation)}};
  state_->engine_calls.Add(labels).Increment();
  // There from the first call on, so that a rate can be taken of it.
  state_->engine_errors.Add(labels).Increment(failed ? 1 : 0);
  state_->engine_times.Add(labels, kBounds).Observe(seconds(took));
}

void Metrics::start(std::chrono::nanoseconds to_container, std::chrono::nanoseconds to_readiness) {
  state_->to_container.Observe(seconds(to_container));
  state_->to_readiness.Observe(seconds(to_readiness));
}

prometheus::Registry& Metrics::registry() const { return state_->registry; }

}  // namespace resmgr::api
