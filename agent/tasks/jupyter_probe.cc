#include "agent/tasks/jupyter_probe.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "agent/tasks/idle_text.h"
#include "common/error.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

constexpr Millis kConnectLimit{2'000};
constexpr std::size_t kLargestAnswer = std::size_t{1} << 20;
constexpr Millis kUnsettledLimit = std::chrono::minutes{10};

// A connection's opening and closing take six frames each way, about 810 bytes together; a full
// segment (1448 bytes) one frame's head, and another for its acknowledgement.
constexpr std::int64_t kConnectionBytes = 1'024;
constexpr std::int64_t kSegmentBytes = 1'448;
constexpr std::int64_t kSegmentHeads = 132;
constexpr std::int64_t kRequestHead = 256;  // less what is the caller's own: target and token

// Why a look failed; for people.
struct NoAnswer {
  std::string why;
};

// Requests a stop when the time is over: a peer that sends a byte now and then would hold a
// reader for ever.
class Deadline {
 public:
  Deadline(Millis limit, const std::stop_token& outer)
      : outer_(outer, [this] { source_.request_stop(); }),
        timer_([this, limit](const std::stop_token& done) { wait(limit, done); }) {}

  std::stop_token token() const { return source_.get_token(); }

 private:
  void wait(Millis limit, const std::stop_token& done) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, done, limit, [] { return false; });
    if (!done.stop_requested()) source_.request_stop();
  }

  std::stop_source source_;
  std::stop_callback<std::function<void()>> outer_;
  std::jthread timer_;  // last: it uses the others
};

class Asking {
 public:
  Asking(HttpClient& http, const JupyterAccess& access, const std::stop_token& stop,
         std::int64_t& traffic_bytes)
      : http_(http),
        access_(access),
        traffic_bytes_(traffic_bytes),
        deadline_(access.limit, stop) {}

  // Null for a 404, if that is allowed.
  Json get(const std::string& path, bool may_be_missing = false) {
    std::string body;
    const int status = fetch(path, body);
    if (status == 404 && may_be_missing) return nullptr;
    if (status == 401 || status == 403) throw NoAnswer{"it does not accept the task's token"};
    if (status != 200) {
      throw NoAnswer{"it answered " + std::to_string(status) + " to " + path};
    }
    try {
      return parse_json(body, "answer");
    } catch (const Error&) {
      throw NoAnswer{"its answer to " + path + " is no JSON"};
    }
  }

 private:
  int fetch(const std::string& path, std::string& body) {
    HttpRequest request;
    request.target = access_.base_url + path + "?no_track_activity=1";
    request.headers = {{"Accept", "application/json"}, {"Connection", "close"}};
    if (!access_.token.empty()) {
      request.headers.emplace_back("Authorization", "token " + access_.token);
    }
    count(kConnectionBytes + kRequestHead);
    count(static_cast<std::int64_t>(request.target.size() + access_.token.size()));
    const HttpResponse response = http_.stream(
        request,
        [&](std::string_view bytes) {
          body += bytes.substr(0, kLargestAnswer + 1 - body.size());
          return body.size() <= kLargestAnswer;
        },
        access_.limit + kConnectLimit, deadline_.token());
    count_answer(response, body.size());
    if (deadline_.token().stop_requested() || response.status == 0) {
      throw NoAnswer{"it did not answer within " + limit_text(access_.limit)};
    }
    if (body.size() > kLargestAnswer) throw NoAnswer{"its answer to " + path + " is over 1 MiB"};
    return response.status;
  }

  void count(std::int64_t bytes) { traffic_bytes_ += bytes; }
  void count_answer(const HttpResponse& response, std::size_t streamed) {
    std::size_t bytes = streamed + response.body.size();
    for (const auto& [name, value] : response.headers) bytes += name.size() + value.size() + 4;
    const auto size = static_cast<std::int64_t>(bytes);
    count(size + size / kSegmentBytes * kSegmentHeads);
  }

  HttpClient& http_;
  const JupyterAccess& access_;
  std::int64_t& traffic_bytes_;
  Deadline deadline_;
};

std::optional<Instant> activity_of(const Json& model) {
  return parse_rfc3339(string_or(model, "last_activity"));
}

void note_activity(JupyterLook& look, std::optional<Instant> time) {
  if (time) look.last_activity = std::max(look.last_activity.value_or(*time), *time);
}

void read_status(const Json& status, JupyterLook& look) {
  look.last_activity = activity_of(status);
  if (!look.last_activity) throw NoAnswer{"its status has no last_activity: it is no Jupyter"};
  look.connections = integer_or(status, "connections", 0);
}

void read_kernels(const Json& kernels, Instant now, JupyterLook& look) {
  if (!kernels.is_array()) throw NoAnswer{"its answer has no list of kernels"};
  for (const Json& kernel : kernels) {
    const std::string state = string_or(kernel, "execution_state");
    if (state.empty()) throw NoAnswer{"it does not tell the state of a kernel"};
    const std::optional<Instant> active = activity_of(kernel);
    note_activity(look, active);
    ++look.kernels;
    if (state == "idle" || state == "dead") continue;
    const bool on_its_way = state == "starting" || state == "restarting" ||
                            state == "autorestarting" || state == "terminating";
    if (on_its_way && active && now - *active > kUnsettledLimit) {
      ++look.unsettled_kernels;
    } else {
      ++look.busy_kernels;
    }
  }
}

void read_terminals(const Json& terminals, JupyterLook& look) {
  if (terminals.is_null()) return;
  if (!terminals.is_array()) throw NoAnswer{"its answer has no list of terminals"};
  for (const Json& terminal : terminals) {
    ++look.terminals;
    note_activity(look, activity_of(terminal));
  }
}

std::string counted(std::int64_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string detail_of(const JupyterLook& look) {
  std::string text = counted(look.kernels, "kernel");
  if (look.kernels > 0) text += ", " + std::to_string(look.busy_kernels) + " busy";
  if (look.unsettled_kernels > 0) {
    text += ", " + std::to_string(look.unsettled_kernels) + " starting for long";
  }
  return text + "; " + counted(look.terminals, "terminal") + "; " +
         counted(look.connections, "open connection");
}

}  // namespace

std::unique_ptr<HttpClient> make_probe_client(const std::string& address, int port) {
  std::string host = address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  HttpEndpoint endpoint;
  endpoint.url = "http://" + host + ":" + std::to_string(port);
  endpoint.connect_timeout = kConnectLimit;
  endpoint.read_timeout = kConnectLimit;
  endpoint.max_body_bytes = kLargestAnswer;
  return make_http_client(endpoint);
}

JupyterLook look_at_jupyter(HttpClient& http, const JupyterAccess& access, Instant now,
                            std::stop_token stop) {
  JupyterLook look;
  std::int64_t traffic = 0;
  try {
    Asking asking(http, access, stop, traffic);
    read_status(asking.get("/api/status"), look);
    read_kernels(asking.get("/api/kernels"), now, look);
    read_terminals(asking.get("/api/terminals", true), look);
    look.answered = true;
  } catch (const NoAnswer& none) {
    look = {};
    look.failure = none.why;
  } catch (const Error& error) {
    look = {};
    look.failure = error.message();
  } catch (const std::exception& error) {
    look = {};
    look.failure = error.what();
  }
  look.traffic_bytes = traffic;
  return look;
}

Signal JupyterActivity::observe(const JupyterLook& look, const Moment& now) {
  Signal signal = unknown_signal(signal_name::kHttpProbe, now.boot, look.failure);
  if (look.answered) {
    signal.state = look.busy_kernels > 0 ? SignalState::busy : SignalState::quiet;
    signal.detail = detail_of(look);
    std::optional<BootTime> use = use_shown_by(look, now);
    if (look.busy_kernels > 0) use = now.boot;
    if (use) last_busy_ = std::max(last_busy_.value_or(*use), *use);
    seen_ = {*look.last_activity, look.connections, now.boot};
  }
  signal.last_busy = last_busy_;
  return signal;
}

std::optional<BootTime> JupyterActivity::use_shown_by(const JupyterLook& look,
                                                      const Moment& now) const {
  const Instant last = *look.last_activity;
  const BootTime told = now.boot - std::max(now.wall - last, Millis{0});
  if (!seen_) {
    if (last <= counts_from_) return std::nullopt;
    return std::max(told, BootTime{0});
  }
  if (look.connections != seen_->connections) return now.boot;
  // Whatever the civil clock did in between: another time than before was stamped after that look.
  if (last == seen_->last_activity) return std::nullopt;
  return std::clamp(told, seen_->at, std::max(seen_->at, now.boot));
}

}  // namespace resmgr::tasks
