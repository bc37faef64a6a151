#include "tests/support/chain.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "tests/support/eventually.h"

namespace resmgr::support {
namespace {

// One of its packages holds the program for this machine.
std::string program() {
  const std::string folder = RESMGR_NPM_DIR "/node_modules/@foundry-rs";
  if (std::filesystem::exists(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto path = entry.path() / "bin" / "anvil";
      if (std::filesystem::is_regular_file(path)) return path;
    }
  }
  throw std::runtime_error("there is no anvil in " + folder + ": run tests/npm/install");
}

std::string hex(std::int64_t number) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(number));
  return text.data();
}

std::string without_prefix(const std::string& text) {
  return text.starts_with("0x") ? text.substr(2) : text;
}

}  // namespace

Chain::Chain() : process_({program(), "--host", "127.0.0.1", "--port", "0"}) {
  const std::string before = "Listening on ";
  std::string out;
  std::size_t begin = std::string::npos;
  eventually([&] {
    out = process_.out();
    begin = out.find(before);
    return (begin != std::string::npos && out.find('\n', begin) != std::string::npos) ||
           !process_.running();
  });
  if (begin == std::string::npos) {
    throw std::runtime_error("the chain does not start; it printed:\n" + out + process_.err());
  }
  begin += before.size();
  url_ = "http://" + out.substr(begin, out.find('\n', begin) - begin);
  http_ = make_http_client({.url = url_, .ca_file = {}});
}

Json Chain::ask(const std::string& method, Json params) const {
  HttpRequest request;
  request.method = "POST";
  request.content_type = "application/json";
  request.body =
      dump_json({{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}});
  return parse_json(http_->send(request).body, "answer of the chain").at("result");
}

std::vector<std::string> Chain::inputs() const {
  std::vector<std::string> inputs;
  const std::int64_t head =
      std::stoll(ask("eth_blockNumber", Json::array()).get<std::string>(), nullptr, 16);
  for (std::int64_t number = 1; number <= head; ++number) {
    const Json block = ask("eth_getBlockByNumber", {hex(number), true});
    for (const Json& transaction : array_at(block, "transactions")) {
      inputs.push_back(without_prefix(string_or(transaction, "input")));
    }
  }
  return inputs;
}

std::string Chain::input_of(const std::string& tx_hash) const {
  return without_prefix(string_or(ask("eth_getTransactionByHash", {tx_hash}), "input"));
}

}  // namespace resmgr::support
