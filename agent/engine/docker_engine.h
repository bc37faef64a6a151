// The engine port over the Docker Engine API.
#ifndef RESMGR_AGENT_ENGINE_DOCKER_ENGINE_H_
#define RESMGR_AGENT_ENGINE_DOCKER_ENGINE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/engine/cgroup_stats.h"
#include "agent/engine/docker_transport.h"
#include "agent/engine/engine.h"

namespace resmgr::engine {

struct DockerOptions {
  std::string url = "unix:///var/run/docker.sock";  // as DOCKER_HOST
  std::string registry_auth_file;  // Docker's config.json, read at each pull; empty: anonymous
};

// Asks nothing of the daemon before the first call. Thread-safe.
class DockerEngine final : public Engine {
 public:
  // Throws Error(config) for an address that it can't use.
  explicit DockerEngine(const DockerOptions& options);
  // With clients and kernel files of the caller's choice.
  DockerEngine(DockerOptions options, HttpClientFactory make_client, CgroupReader cgroups);

  EngineInfo info() override;
  std::string create(const ContainerSpec& spec) override;
  void start(const std::string& id) override;
  std::optional<ContainerState> inspect(const std::string& id_or_name) override;
  void rename(const std::string& id, const std::string& name) override;
  void stop(const std::string& id, Millis timeout) override;
  void remove(const std::string& id) override;
  std::vector<ContainerSummary> list(const std::map<std::string, std::string>& labels) override;
  void events(const std::function<void()>& on_subscribed,
              const std::function<void(const EngineEvent&)>& on_event,
              std::stop_token stop) override;
  void logs(const std::string& id, const LogOptions& options,
            const std::function<bool(std::string_view)>& on_bytes, std::stop_token stop) override;
  std::optional<Stats> stats(const std::string& id) override;
  std::optional<std::string> image_id(const std::string& image) override;
  void pull(const std::string& image, const std::function<void(const PullProgress&)>& on_progress,
            std::stop_token stop) override;
  std::optional<NetworkState> inspect_network(const std::string& name) override;
  void create_network(const NetworkSpec& spec) override;
  void remove_volume(const std::string& name) override;

 private:
  HttpResponse get(std::string target);
  // The body of GET /containers/{id}/json; empty if there is no such container.
  std::optional<std::string> container_body(const std::string& id_or_name);

  const DockerOptions options_;
  const CgroupReader cgroups_;
  DockerTransport transport_;
};

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_DOCKER_ENGINE_H_
