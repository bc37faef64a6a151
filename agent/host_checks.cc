#include "agent/host_checks.h"

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/error.h"
#include "common/http.h"
#include "common/time_format.h"

namespace resmgr {
namespace {

constexpr Millis kAnswerIn{10'000};

Check check_named(std::string name, std::string destination, std::function<std::string()> run) {
  return {std::move(name), std::move(destination),
          [run = std::move(run)](const std::stop_token&) { return run(); }};
}

[[noreturn]] void say_wrong(const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::config, what, hint);
}

std::string plural(std::int64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

Check journal_check(journal::Journal& journal) {
  return check_named("journal", "", [&journal] {
    if (!journal.writable()) {
      say_wrong("cannot write the journal: the disk is full, read-only or broken",
                "free disk space, and look at what the agent's log says of the journal");
    }
    return plural(journal.head(), "event");
  });
}

Check catalog_check(const catalog::Catalog& catalog) {
  std::string faults;
  for (const auto& fault : catalog.faults()) {
    faults += (faults.empty() ? "" : "; ") + fault.where + ": " + fault.what;
  }
  return check_named("catalog", "", [faults, count = catalog.services().size()] {
    if (!faults.empty()) say_wrong(faults, "mend the file, and send the agent SIGHUP");
    if (count == 0) {
      throw Doubt(
          "it has no service",
          "put a definition into a folder of [agent] services_dirs; see resmgr-services(5)");
    }
    return plural(static_cast<std::int64_t>(count), "service");
  });
}

class BoundSocket {
 public:
  // On a port of an IPv4 or IPv6 address; 0: any.
  BoundSocket(const std::string& address, int port) {
    sockaddr_in six_less{};
    sockaddr_in6 six{};
    six_less.sin_family = AF_INET;
    six_less.sin_port = htons(static_cast<std::uint16_t>(port));
    six.sin6_family = AF_INET6;
    six.sin6_port = six_less.sin_port;
    const bool is_six = inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1;
    if (!is_six && inet_pton(AF_INET, address.c_str(), &six_less.sin_addr) != 1) {
      error_ = EADDRNOTAVAIL;
      return;
    }
    fd_ = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* const where = is_six ? reinterpret_cast<const sockaddr*>(&six)
                                     : reinterpret_cast<const sockaddr*>(&six_less);
    const socklen_t size = is_six ? sizeof six : sizeof six_less;
    if (fd_ < 0 || bind(fd_, where, size) != 0) error_ = errno;
  }
  ~BoundSocket() {
    if (fd_ >= 0) close(fd_);
  }
  BoundSocket(const BoundSocket&) = delete;
  BoundSocket& operator=(const BoundSocket&) = delete;

  int error() const { return error_; }  // errno(3); 0: it is bound

 private:
  int fd_ = -1;
  int error_ = 0;
};

}  // namespace

Check engine_check(engine::Engine& engine) {
  return check_named("engine", "", [&engine] {
    try {
      const auto info = engine.info();
      return info.name + " " + info.version + ", API " + info.api_version;
    } catch (const Error& error) {
      say_wrong(error.message(),
                error.hint().empty()
                    ? "start the engine (systemctl start docker), and see to it that "
                      "the agent's user is in the group of its socket"
                    : error.hint());
    }
  });
}

Check live_restore_check(engine::Engine& engine) {
  return check_named("live-restore", "", [&engine]() -> std::string {
    if (engine.info().live_restore) return "tasks outlive a restart of the engine";
    throw Doubt("every task ends when the engine is restarted",
                R"(set "live-restore": true in /etc/docker/daemon.json, and reload the engine)");
  });
}

Check image_check(engine::Engine& engine, const catalog::Service& service) {
  const std::string hint =
      "resmgr images " + std::string(service.build.empty() ? "pull " : "build ") + service.name;
  const bool never = service.pull == catalog::PullPolicy::never;
  return check_named("image of " + service.name, service.image,
                     [&engine, hint, never, image = service.image] {
                       if (engine.image_id(image)) return std::string("is there");
                       const std::string missing = "image '" + image + "' is not there, ";
                       if (never)
                         say_wrong(missing + "and is never pulled: no start succeeds", hint);
                       throw Doubt(missing + "so the next start pulls it first", hint);
                     });
}

Check disk_check(std::string name, const std::string& folder, std::int64_t floor) {
  return check_named(std::move(name), folder, [folder, floor] {
    struct statvfs disk {};
    if (statvfs(folder.c_str(), &disk) != 0) {
      throw Doubt("it can't be seen from here: " + std::string(std::strerror(errno)),
                  "look yourself how much is free there");
    }
    const auto size = static_cast<std::int64_t>(disk.f_frsize);
    const std::int64_t free = static_cast<std::int64_t>(disk.f_bavail) * size;
    std::string words = format_size(free) + " of " +
                        format_size(static_cast<std::int64_t>(disk.f_blocks) * size) +
                        " are free, " + format_size(floor) + " are wanted";
    const std::string hint = "free disk space, or lower [limits] min_free_disk";
    if (free < floor) say_wrong("no start is admitted: " + words, hint);
    if (free < 2 * floor) throw Doubt("it gets scarce: " + words, hint);
    return words;
  });
}

// Empty: the kernel does not tell. A service manager's sandbox forbids to ask.
std::optional<bool> kernels_word_on_clock() {
  timex state{};
  if (adjtimex(&state) == -1) return std::nullopt;
  return (state.status & STA_UNSYNC) == 0;
}

Check clock_check(std::optional<bool> kept_right, std::string run_dir) {
  return check_named("clock", "", [kept_right, run_dir = std::move(run_dir)]() -> std::string {
    const std::string hint = "install systemd-timesyncd or chrony";
    if (kept_right == true) return "is kept right";
    if (kept_right == false) {
      throw Doubt("nothing keeps it right: tokens may be refused, and records bear wrong times",
                  hint);
    }
    // What those leave who keep it right, the first of them only once it is.
    for (const auto& [trace, words] :
         {std::pair("/systemd/timesync/synchronized", "systemd-timesyncd keeps it right"),
          std::pair("/chrony", "chronyd runs"), std::pair("/ntpd.pid", "ntpd runs")}) {
      if (access((run_dir + trace).c_str(), F_OK) == 0) return words;
    }
    throw Doubt("nothing is seen to keep it right", hint);
  });
}

Check ports_check(std::string address, std::string range) {
  const std::string where = address + (range.empty() ? "" : ":" + range);
  return check_named("ports", where, [address = std::move(address), range = std::move(range)] {
    if (const BoundSocket any(address, 0); any.error() != 0) {
      say_wrong("cannot publish ports on '" + address + "': " + std::strerror(any.error()),
                "set [engine] publish_address to an address of this host");
    }
    const auto ports = parse_port_range(range);
    if (!ports) return std::string("the engine chooses them");
    int free = 0;
    for (int port = ports->low; port <= ports->high; ++port) {
      if (BoundSocket(address, port).error() == 0) ++free;
    }
    std::string words =
        std::to_string(free) + " of " + plural(ports->high - ports->low + 1, "port") + " are free";
    if (free == 0) say_wrong(words, "widen [engine] port_range, or stop tasks");
    return words;
  });
}

Check group_check(const std::string& group) {
  return check_named("socket group", group, [group]() -> std::string {
    std::array<char, 16'384> buffer{};
    struct group entry {};
    struct group* found = nullptr;
    getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
      throw Doubt("there is no such group: only the agent's user and root may use the socket",
                  "groupadd --system " + group + ", and restart the agent");
    }
    int members = 0;
    for (char** member = found->gr_mem; *member != nullptr; ++member) ++members;
    return "has " + plural(members, "member");
  });
}

Check public_url_check(const std::string& url) {
  Check check{"public_url", url, {}};
  if (url.empty()) return check;
  check.run = [url](const std::stop_token& stop) -> std::string {
    HttpEndpoint endpoint;
    endpoint.url = url;
    while (endpoint.url.ends_with('/')) endpoint.url.pop_back();
    endpoint.connect_timeout = kAnswerIn;
    endpoint.read_timeout = kAnswerIn;
    const std::string hint =
        "let the proxy in front pass requests to an address of [server] "
        "listen, or correct [server] public_url";
    HttpRequest request;
    request.target = "/healthz";
    std::string body;
    try {
      const HttpResponse response = make_http_client(endpoint)->stream(
          request,
          [&](std::string_view chunk) {
            body += chunk.substr(0, 1'000);
            return body.size() < 1'000;
          },
          kAnswerIn, stop);
      if (response.status == 200 && body.find("\"status\"") != std::string::npos) {
        return "an agent answers there";
      }
      say_wrong("it answers " + std::to_string(response.status) + ", and not as an agent", hint);
    } catch (const Error& error) {
      say_wrong(error.message(), error.hint().empty() ? hint : error.hint());
    }
  };
  return check;
}

Check backlog_check(const sinks::SinkStatus& status) {
  return check_named("backlog of " + status.name, "", [status] {
    const std::string lag = plural(status.lag_events, "event") + " behind (" +
                            format_duration(status.lag) + "), which are kept";
    if (status.state == sinks::SinkState::failing || status.state == sinks::SinkState::refusing) {
      say_wrong(std::string(to_string(status.state)) + ", " + lag + ": " + status.last_error,
                status.hint);
    }
    if (status.dead_letters > 0) {
      throw Doubt(plural(status.dead_letters, "message") + " refused for good",
                  "resmgr sync show-dead " + status.name);
    }
    return status.lag_events == 0 ? std::string("has all there is") : lag;
  });
}

std::vector<Check> host_checks(const HostParts& parts) {
  const Settings& settings = parts.settings;
  const auto catalog = parts.tasks.catalog();
  const std::int64_t floor = parts.tasks.limits().min_free_disk_bytes;
  std::vector<Check> checks = {engine_check(parts.engine), live_restore_check(parts.engine),
                               catalog_check(*catalog)};
  for (const auto& service : catalog->services()) {
    checks.push_back(image_check(parts.engine, service));
  }
  checks.push_back(journal_check(parts.journal));
  checks.push_back(disk_check("disk of the journal", settings.data_dir, floor));
  checks.push_back(check_named("disk of the engine", "", [&engine = parts.engine, floor] {
    return disk_check("", engine.info().root_dir, floor).run({});
  }));
  checks.push_back(clock_check(kernels_word_on_clock(), "/run"));
  checks.push_back(ports_check(settings.tasks.publish_address, settings.tasks.port_range));
  checks.push_back(group_check(settings.server.socket_group));
  checks.push_back(public_url_check(settings.server.public_url));
  for (const auto& status : parts.pumps.statuses()) checks.push_back(backlog_check(status));
  return checks;
}

}  // namespace resmgr
