// The services that users may ask for: TOML files in services.d.
#ifndef RESMGR_AGENT_CATALOG_CATALOG_H_
#define RESMGR_AGENT_CATALOG_CATALOG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace resmgr::catalog {

enum class ProbeKind { none, tcp, http };
struct Probe {
  ProbeKind kind = ProbeKind::tcp;
  std::string path = "/";  // of an http probe; any answer from 200 to 399 is ready
  Millis interval{200};    // 20 ms to 60 s
};

enum class PullPolicy { missing, always, never };
enum class NetworkMode { isolated, none };

struct Volume {
  std::string name;  // may hold {userId} and {taskId}
  std::string path;  // absolute, in the container
  bool keep = true;  // after the task's end
};

enum class IdleProbe { none, jupyter };
struct IdlePolicy {
  Millis timeout{0};  // 0 = never stopped for idleness
  Millis warn{Millis{300'000}};
  IdleProbe probe = IdleProbe::none;
  std::int64_t network_bytes = 1024;  // per sample interval; more is busy
  double cpu_percent = 2;             // of one core; more is busy
};

// How visitors come in through the gateway, where one is configured.
struct GatewayEntry {
  std::string path;           // instead of url_path; empty: that one
  std::string authorization;  // value of the header that nginx puts in; {token} in it; empty: none
};

struct Service {
  std::string name;  // [a-z0-9][a-z0-9-]{0,62}
  std::string title;
  std::string description;
  std::string icon;
  std::string image;
  std::string build;       // absolute path of the program that makes the image; empty: none
  int container_port = 0;  // 1..65535
  std::vector<std::string> command;  // empty: the image's own
  std::string url_path = "/";        // {token}, {taskId}, {userId}, {host}, {port} are put in
  // {token}, {taskId}, {userId}, {basePath} in values
  std::vector<std::pair<std::string, std::string>> env;
  Probe probe;
  Millis start_timeout{60'000};  // from the end of the pull to readiness
  Millis stop_timeout{10'000};   // between SIGTERM and SIGKILL
  PullPolicy pull = PullPolicy::missing;

  double cpus = 1.0;
  std::int64_t memory_bytes = 1LL << 30;
  std::int64_t pids = 256;
  std::int64_t shm_bytes = 64LL << 20;

  bool read_only = false;
  std::vector<std::string> capabilities;
  std::string user;
  NetworkMode network = NetworkMode::isolated;
  std::vector<std::string> frame_ancestors;

  std::vector<Volume> volumes;
  IdlePolicy idle;
  Millis lifetime_max{0};  // 0 = no limit
  GatewayEntry gateway;
  // So many containers are kept started and ready for who asks next; not part of the spec_hash.
  // With any, nothing about the container depends on the user or the task.
  int warm = 0;

  // It is told, by {basePath} in command or env, under which path its visitors come, and wants to
  // see that path in requests.
  bool knows_base_path() const;

  // Hex SHA-256 of all that decides how its container is made.
  std::string spec_hash;
  std::string file;  // where it was read from
};

// One file that was left out, or one doubtful thing in a file that was taken.
struct Fault {
  std::string where;  // file:line:column, or the file
  std::string what;   // what is wrong, and what is allowed
};

// Immutable once loaded; thread-safe.
class Catalog {
 public:
  // Reads every *.toml in the folders, in order of names. A wrong file is left out, with all its
  // faults; so is a second file for the same service name. A missing folder is no fault. The
  // service of a wrong file stays as `earlier` has it from that file, if it does.
  static std::shared_ptr<const Catalog> load(const std::vector<std::string>& folders,
                                             const Catalog* earlier = nullptr);
  // For tests: one file's text.
  static std::shared_ptr<const Catalog> from_text(std::string_view toml,
                                                  const std::string& file_name);

  const Service* find(std::string_view name) const;                   // null: no such service
  const std::vector<Service>& services() const { return services_; }  // by name
  const std::vector<Fault>& faults() const { return faults_; }

 private:
  void keep(const Catalog& earlier, const std::string& file);

  std::vector<Service> services_;
  std::vector<Fault> faults_;
};

// Puts values in the place of {name}s; a name that is not among `values` stays as it is.
std::string expand(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace resmgr::catalog

#endif  // RESMGR_AGENT_CATALOG_CATALOG_H_
