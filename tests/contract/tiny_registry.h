// A registry of images on the loopback, as small as a pull allows: the OCI distribution
// specification's GETs of manifests and blobs, over plain HTTP.
#ifndef RESMGR_TESTS_CONTRACT_TINY_REGISTRY_H_
#define RESMGR_TESTS_CONTRACT_TINY_REGISTRY_H_

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace resmgr::engine {

// Serves until it is destroyed. Thread-safe.
class TinyRegistry {
 public:
  TinyRegistry();
  ~TinyRegistry();
  TinyRegistry(const TinyRegistry&) = delete;
  TinyRegistry& operator=(const TinyRegistry&) = delete;

  // "127.0.0.1:<port>", which Docker takes for a registry that needs no TLS.
  std::string address() const;
  // Makes an image of one layer of random bytes, called `name` ("a/b"), tag "1".
  void add(const std::string& name, std::size_t layer_bytes);
  // From now on each request needs these (RFC 7617).
  void require(const std::string& user, const std::string& password);

  // Layers are not sent until resume().
  void stall();
  void resume();
  // Whether a request for a layer waits within a minute.
  bool wait_until_stalled();

 private:
  struct Document {
    std::string type;
    std::string bytes;
    bool is_layer = false;
  };

  void accept_all(const std::stop_token& stop);
  void serve(int socket);
  std::string answer(std::string_view method, const std::string& path, std::string_view head);

  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Document> documents_;  // by path
  std::string authorization_;                  // empty: none is needed
  bool stalled_ = false;
  bool closing_ = false;
  int waiting_ = 0;
  std::vector<int> open_;
  std::vector<std::jthread> connections_;
  std::jthread acceptor_;
};

}  // namespace resmgr::engine

#endif  // RESMGR_TESTS_CONTRACT_TINY_REGISTRY_H_
