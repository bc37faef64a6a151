// A real EVM chain (Foundry's anvil), a process of the test's own, in which each transaction is a
// block.
#ifndef RESMGR_TESTS_SUPPORT_CHAIN_H_
#define RESMGR_TESTS_SUPPORT_CHAIN_H_

#include <memory>
#include <string>
#include <vector>

#include "common/http.h"
#include "common/json.h"
#include "tests/support/subprocess.h"

namespace resmgr::support {

// As a Subprocess it may live no longer than the thread that makes it.
class Chain {
 public:
  // Throws std::runtime_error if it does not start, and if tests/npm/install was not run.
  Chain();

  const std::string& url() const { return url_; }
  // What stands in its transactions, oldest first: hex digits without "0x".
  std::vector<std::string> inputs() const;
  // The one in that transaction; empty if there is none of that name.
  std::string input_of(const std::string& tx_hash) const;

 private:
  Json ask(const std::string& method, Json params) const;

  Subprocess process_;
  std::string url_;
  std::unique_ptr<HttpClient> http_;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_CHAIN_H_
