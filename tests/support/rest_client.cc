#include "tests/support/rest_client.h"

#include <utility>

#include "common/wire.h"

namespace resmgr::support {
namespace {

HttpEndpoint endpoint(const std::string& url) {
  HttpEndpoint result;
  result.url = url;
  // A start is answered when the service is ready; with 100 at once the last one waits for long.
  result.read_timeout = std::chrono::minutes(5);
  return result;
}

}  // namespace

RestClient::RestClient(const std::string& url, std::string token, Judge judge)
    : http_(make_http_client(endpoint(url))), token_(std::move(token)), judge_(std::move(judge)) {}

Answer RestClient::send(HttpRequest request) const {
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  Answer answer;
  answer.response = http_->send(request);
  answer.status = answer.response.status;
  answer.json = Json::parse(answer.response.body, nullptr, false);
  if (answer.json.is_discarded()) answer.json = nullptr;
  if (judge_) judge_(request, answer);
  return answer;
}

Answer RestClient::get(const std::string& target, const HttpHeaders& headers) const {
  HttpRequest request;
  request.target = target;
  request.headers = headers;
  return send(std::move(request));
}

Answer RestClient::post(const std::string& target, const Json& body,
                        const HttpHeaders& headers) const {
  HttpRequest request;
  request.method = "POST";
  request.target = target;
  request.headers = headers;
  request.body = dump_json(body);
  request.content_type = "application/json";
  return send(std::move(request));
}

Answer RestClient::del(const std::string& target, const HttpHeaders& headers) const {
  HttpRequest request;
  request.method = "DELETE";
  request.target = target;
  request.headers = headers;
  return send(std::move(request));
}

Answer RestClient::start(const std::string& service, const HttpHeaders& headers) const {
  return post(wire::kTasks, {{"serviceType", service}}, headers);
}

}  // namespace resmgr::support
