// Tasks from their start to what is left of them, rightly and wrongly asked for.
#include "tests/e2e/openapi_fixture.h"

namespace resmgr::e2e {

using support::Answer;
using support::eventually;

void WithJudgedAgent::start_tasks() {
  const HttpHeaders key = {{"Idempotency-Key", "a-button-pressed-twice"}};
  const Json hello = {{"serviceType", "hello"}};
  const Answer started = calls_->post(alice_, wire::kTasks, hello, 201, kRight, key);
  const Answer again = calls_->post(alice_, wire::kTasks, hello, 201, kRight, key);
  EXPECT_EQ(again.text("taskId"), started.text("taskId"));
  calls_->post(alice_, wire::kTasks, {{"serviceType", "limited"}}, 422, kRight, key);
  calls_->post(alice_, wire::kTasks, hello, 409);  // one of a service
  hello_ = wire::task_path(started.text("taskId"));
  limited_ = start("limited");

  const HttpHeaders async = {{"Prefer", "respond-async"}};
  calls_->post(admin_, wire::kTasks, {{"serviceType", "hello"}, {"userId", support::kBob}}, 202,
               kRight, async);
  const Answer slow =
      calls_->post(alice_, wire::kTasks, {{"serviceType", "slow"}}, 202, kRight, async);
  const std::string path = wire::task_path(slow.text("taskId"));
  EXPECT_TRUE(eventually(
      [&] { return calls_->get(alice_, path).json.value("progress", Json()).is_object(); }));
  calls_->del(alice_, path);
  calls_->post(alice_, wire::kTasks, {{"serviceType", "never-ready"}}, 504);
}

void WithJudgedAgent::start_wrongly() {
  calls_->post(bob_, wire::kTasks, {{"serviceType", "hello"}, {"userId", support::kAlice}}, 403);
  // The description names no services.
  calls_->post(alice_, wire::kTasks, {{"serviceType", "nothing-of-that-name"}}, 400);
  const Json faults[] = {{{"serviceType", 5}, {"userId", "no uuid"}, {"image", "evil:latest"}},
                         Json::object(),
                         Json::array(),
                         nullptr};
  for (const Json& body : faults) calls_->post(alice_, wire::kTasks, body, 400, kWrong);
  calls_->post_text(alice_, wire::kTasks, "serviceType=hello", "application/x-www-form-urlencoded",
                    415, kWrong);
  calls_->post(alice_, wire::kTasks, {{"serviceType", std::string(70'000, 'x')}}, 413, kWrong);
  calls_->post(alice_, wire::kTasks, {{"serviceType", "hello"}}, 400, kWrong,
               {{"Idempotency-Key", "with a blank"}});
}

void WithJudgedAgent::list_tasks() {
  const std::string id = hello_.substr(hello_.rfind('/') + 1);
  for (const std::string& query :
       {std::string(), std::string("status=Running,Stopped,Error"),
        std::string("serviceType=hello"), std::string("userId=me"),
        "userId=" + std::string(support::kAlice),
        std::string("from=2026-01-01T00:00:00Z&to=2999-01-01T00:00:00Z"), "id=" + id.substr(24)}) {
    for (const auto& token : {alice_, admin_}) calls_->get(token, "/api/tasks?" + query);
  }
  int pages = 0;
  for (std::string target = "/api/tasks?limit=1"; !target.empty() && pages < 20; ++pages) {
    const std::string link(calls_->get(admin_, target).response.header("Link"));
    target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  EXPECT_GT(pages, 2);
  for (const std::string wrong : {"limit=0", "limit=501", "limit=x", "status=Sleeping",
                                  "userId=alice", "from=yesterday", "id=abc"}) {
    calls_->get(alice_, "/api/tasks?" + wrong, 400, kWrong);
  }
  calls_->get(alice_, "/api/tasks?cursor=nonsense", 400);  // only the agent knows what one is
  calls_->get(bob_, "/api/tasks?userId=" + std::string(support::kAlice), 403);
}

void WithJudgedAgent::look_at_tasks() {
  for (const auto& token : {alice_, admin_}) calls_->get(token, hello_);
  for (const std::string query :
       {"", "?tail=5", "?tail=0", "?since=2026-01-01T00:00:00Z", "?follow=0"}) {
    calls_->get(alice_, hello_ + "/logs" + query);
  }
  for (const std::string wrong : {"?tail=-1", "?since=then", "?follow=perhaps"}) {
    calls_->get(alice_, hello_ + "/logs" + wrong, 400, kWrong);
  }
  for (const std::string query : {"", "?since=0", "?since=999999", "?since=1&follow=false",
                                  "?since=1&journal=7c9e6679-7425-40de-944b-e07fc1f90ae7"}) {
    for (const auto& token : {alice_, admin_})
      calls_->get(token, std::string("/api/events") + query);
  }
  for (const std::string wrong : {"?since=-1", "?since=x", "?follow=perhaps", "?journal=mine"}) {
    calls_->get(alice_, std::string("/api/events") + wrong, 400, kWrong);
  }
}

void WithJudgedAgent::extend_tasks() {
  for (const auto& token : {alice_, admin_}) {
    calls_->get(token, limited_ + "/why");
    calls_->post(token, limited_ + "/extend", {{"by", "1h"}}, 200);
    calls_->post(token, limited_ + "/touch", nullptr, 204);
    calls_->get(token, limited_);
  }
  calls_->get(alice_, hello_ + "/why");
  calls_->post(alice_, hello_ + "/extend", {{"by", "1h"}}, 409);
  calls_->post(alice_, limited_ + "/extend", {{"by", "a while"}}, 400);  // durations have no schema
  for (const Json& body : {Json::object(), Json({{"by", 5}}), Json(nullptr)}) {
    calls_->post(alice_, limited_ + "/extend", body, 400, kWrong);
  }
  calls_->post_text(alice_, limited_ + "/extend", "1h", "text/plain", 415, kWrong);
  calls_->get(alice_, limited_ + "/usage-record", 409);
}

void WithJudgedAgent::stop_tasks() {
  for (const auto& token : {alice_, alice_, admin_}) calls_->del(token, limited_);
  const auto has_receipt = [this] {
    return !array_at(calls_->get(alice_, limited_).json, "receipts").empty();
  };
  EXPECT_TRUE(eventually(has_receipt));
  for (const auto& token : {alice_, admin_}) calls_->get(token, limited_ + "/usage-record");
  calls_->get(alice_, limited_ + "/why", 409);
  calls_->post(alice_, limited_ + "/extend", {{"by", "1h"}}, 409);
  calls_->post(alice_, limited_ + "/touch", nullptr, 409);
  calls_->get(alice_, limited_ + "/logs");
}

}  // namespace resmgr::e2e
