// A real Jupyter: what computes is never stopped as idle, what nobody uses is, and what does not
// answer is not.

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using support::eventually;
using ::testing::StartsWith;

constexpr std::chrono::minutes kBound{6};

// No computation is ever seen by the CPU that it takes: the probe alone tells.
constexpr char kNotebook[] = R"(
name = "notebook"
title = "Jupyter with limits of seconds"
image = "resmgr/jupyter:latest"
container_port = 8888
url_path = "/tree?token={token}"
env = { JUPYTER_TOKEN = "{token}" }
probe = { http = "/api", interval = "200ms" }
start_timeout = "3m"
stop_timeout = "10s"
pull = "never"
[idle]
timeout = "15s"
warn = "5s"
probe = "jupyter"
network_bytes = 4096
cpu_percent = 10000
)";

// Opens a kernel that computes until it is interrupted, and returns once Jupyter says so.
constexpr char kCompute[] = R"(
import json, os, time, urllib.request
from jupyter_client import BlockingKernelClient
from jupyter_core.paths import jupyter_runtime_dir

def api(method, path):
    request = urllib.request.Request(
        'http://127.0.0.1:8888/api/kernels' + path, method=method,
        data=b'{}' if method == 'POST' else None,
        headers={'Authorization': 'token ' + os.environ['JUPYTER_TOKEN'],
                 'Content-Type': 'application/json'})
    body = urllib.request.urlopen(request).read()
    return json.loads(body) if body else None

kernel = api('POST', '')['id']
client = BlockingKernelClient(
    connection_file=os.path.join(jupyter_runtime_dir(), 'kernel-' + kernel + '.json'))
client.load_connection_file()
client.start_channels()
# The server learns a kernel's state from what the kernel publishes; what was published before the
# server listened is lost to it. Once it has seen one question come and go it hears the next, too.
while api('GET', '/' + kernel)['execution_state'] != 'idle':
    client.kernel_info(reply=True, timeout=60)
client.execute('while True: pass')
while api('GET', '/' + kernel)['execution_state'] != 'busy':
    time.sleep(0.1)
print(kernel)
)";

constexpr char kInterrupt[] = R"(
import os, sys, urllib.request
urllib.request.urlopen(urllib.request.Request(
    'http://127.0.0.1:8888/api/kernels/' + sys.argv[1] + '/interrupt', method='POST', data=b'{}',
    headers={'Authorization': 'token ' + os.environ['JUPYTER_TOKEN'],
             'Content-Type': 'application/json'}))
)";

class JupyterTest : public ::testing::Test {
 protected:
  JupyterTest() {
    support::ensure_jupyter_image();
    support::AgentOptions options;
    options.config =
        std::string(support::kAuthWithTestKey) + "[engine]\nsample_interval = \"1s\"\n";
    options.services = {{"notebook.toml", kNotebook}};
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent_->log() << '\n';
  }

  support::RestClient admin() const { return agent_->as(support::admin_token()); }
  std::string start() const {
    const Answer started = admin().start("notebook");
    EXPECT_EQ(started.status, 201) << started.response.body;
    return started.text("taskId");
  }
  Answer task(const std::string& id) const { return admin().get(wire::task_path(id)); }
  bool wait_until_stopped(const std::string& id) const {
    return eventually([&] { return task(id).text("status") == "Stopped"; }, kBound);
  }
  int count(const std::string& id, const std::string& type) const {
    const Answer answer = task(id);
    int found = 0;
    for (const auto& event : array_at(answer.json, "events")) {
      if (string_or(event, "type") == type) ++found;
    }
    return found;
  }
  std::string probe_state(const std::string& id) const {
    const Answer why = admin().get(wire::why_path(id));
    for (const Json& signal : array_at(why.json, "signals")) {
      if (string_or(signal, "name") == "http_probe") return string_or(signal, "state");
    }
    return why.response.body;
  }
  static std::string python(const std::string& id, const std::string& script,
                            const std::string& argument = "") {
    return support::docker({"exec", "resmgr-" + id, "python3", "-c", script, argument});
  }
  // SIGSTOP: its port is open, and nothing answers any more. SIGCONT: it goes on.
  static void signal_server(const std::string& id, const std::string& signal) {
    support::docker({"exec", "resmgr-" + id, "sh", "-c",
                     "for process in /proc/[0-9]*; do"
                     " if grep -q jupyter-notebook $process/cmdline 2>/dev/null &&"
                     " ! grep -q proc/ $process/cmdline; then kill -" +
                         signal + " ${process#/proc/}; fi; done; true"});
  }

 private:
  std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(JupyterTest, OnlyWhatIsKnownToBeIdleIsStopped) {
  const std::string computing = start();
  const std::string kernel = python(computing, kCompute);
  const std::string frozen = start();
  signal_server(frozen, "STOP");
  const std::string idle = start();

  ASSERT_TRUE(wait_until_stopped(idle));
  EXPECT_THAT(task(idle).text("statusReason"), StartsWith("was idle for "));
  EXPECT_GE(count(idle, "task.idle_warning"), 1);

  // Both are older than the idle one, and the same rules hold for them.
  EXPECT_EQ(task(computing).text("status"), "Running");
  EXPECT_EQ(probe_state(computing), "busy");
  EXPECT_EQ(count(computing, "task.idle_warning"), 0);
  EXPECT_EQ(task(frozen).text("status"), "Running");
  EXPECT_EQ(probe_state(frozen), "unknown");
  EXPECT_EQ(count(frozen, "task.idle_warning"), 0);

  // Nothing but that kept them.
  python(computing, kInterrupt, kernel);
  signal_server(frozen, "CONT");
  EXPECT_TRUE(wait_until_stopped(computing));
  EXPECT_TRUE(wait_until_stopped(frozen));
}

}  // namespace
}  // namespace resmgr::e2e
