// Answers that come in pieces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/unit/api/raw_client.h"
#include "tests/unit/api/scripted_application.h"

namespace resmgr::api {
namespace {

using std::chrono::milliseconds;

class StreamTest : public testing::Test {
 protected:
  // What `write` does with the stream, on a thread of its own.
  void serve(std::function<void(const Responder&)> write, ServerOptions options = free_port()) {
    app_.on_handle = [this,
                      write](const std::shared_ptr<Exchange>& exchange) -> std::optional<Response> {
      if (exchange->request.path != "/stream") return ScriptedApplication::echo(exchange->request);
      const std::lock_guard lock(mutex_);
      threads_.emplace_back([write, responder = Responder(exchange)] { write(responder); });
      return std::nullopt;
    };
    server_.emplace(std::move(options), app_);
    server_->start();
    address_ = server_->listening().front();
  }
  void TearDown() override {
    if (server_) server_->stop();
    for (auto& thread : threads_) thread.join();
  }
  static Response text() {
    Response head;
    head.content_type = kPlainText;
    return head;
  }

  ScriptedApplication app_;
  std::optional<HttpServer> server_;
  std::string address_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  // What a writer tells its test, which it may outlive until TearDown().
  std::atomic<std::size_t> written_{0};
  std::atomic<bool> done_{false};
};

TEST_F(StreamTest, SendsPiecesAsTheyComeAndKeepsTheConnection) {
  serve([](const Responder& responder) {
    const Stream stream = responder.stream(text(), {});
    for (int i = 0; i < 100; ++i) stream.write(std::to_string(i) + "\n");
    stream.end();
  });
  RawClient client(address_);
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + "\n";
  for (int i = 0; i < 3; ++i) {
    const RawAnswer answer = client.ask(get("/stream"));
    EXPECT_EQ(answer.header("transfer-encoding"), "chunked");
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body, expected);
    EXPECT_EQ(client.ask(get("/next")).body, "GET /next ");
  }
}

TEST_F(StreamTest, SendsHeadersBeforeThereIsAnything) {
  serve([](const Responder& responder) {
    const Stream stream = responder.stream(text(), {});
    while (stream.wait_for_room()) std::this_thread::sleep_for(milliseconds(5));
  });
  RawClient client(address_);
  client.send(get("/stream"));
  EXPECT_THAT(client.read_some(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(StreamTest, HoldsTheHeadWhileItMayStillFail) {
  serve([](const Responder& responder) {
    const Stream stream = responder.stream(text(), {.hold_head = std::chrono::hours(1)});
    Response failure;
    failure.status = 404;
    stream.fail(std::move(failure));
  });
  RawClient client(address_);
  EXPECT_EQ(client.ask(get("/stream")).status, 404);
  EXPECT_EQ(client.ask(get("/next")).status, 200);
}

TEST_F(StreamTest, SendsAHeldHeadWhenItsTimeHasCome) {
  serve([](const Responder& responder) {
    const Stream stream = responder.stream(text(), {.hold_head = milliseconds(50)});
    while (!stream.gone()) std::this_thread::sleep_for(milliseconds(5));
  });
  RawClient client(address_);
  client.send(get("/stream"));
  EXPECT_THAT(client.read_some(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(StreamTest, ShowsThatAnAnswerIsNotWhole) {
  serve([](const Responder& responder) {
    const Stream stream = responder.stream(text(), {.hold_head = std::chrono::hours(1)});
    stream.write("some");
    while (!stream.wait_for_room()) continue;
    std::this_thread::sleep_for(milliseconds(50));
    stream.fail({});
  });
  RawClient client(address_);
  const RawAnswer answer = client.ask(get("/stream"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "some");
  EXPECT_FALSE(answer.whole);
}

TEST_F(StreamTest, HoldsBackAQuickWriter) {
  serve([this](const Responder& responder) {
    const Stream stream = responder.stream(text(), {});
    const std::string piece(4096, 'x');
    while (stream.write(piece) && stream.wait_for_room()) written_ += piece.size();
  });
  RawClient client(address_);
  client.send(get("/stream"));
  // The kernel's own buffers take some; then the writer stands still.
  std::size_t before = 0;
  EXPECT_TRUE(support::eventually([&] {
    const std::size_t now = written_;
    const bool stands = now > 0 && now == before;
    before = now;
    std::this_thread::sleep_for(milliseconds(100));
    return stands;
  }));
  const std::size_t stood_at = written_;
  EXPECT_LT(stood_at, 64U << 20);
  std::size_t read = 0;
  while (read < stood_at + (1 << 20)) {
    const std::string bytes = client.read_some();
    ASSERT_FALSE(bytes.empty());
    read += bytes.size();
  }
  EXPECT_GT(written_, stood_at);
}

TEST_F(StreamTest, NoticesThatTheReaderIsGoneThoughNothingIsWritten) {
  serve([this](const Responder& responder) {
    const Stream stream = responder.stream(text(), {});
    std::atomic<bool> changed{false};
    stream.on_change([&] { changed = true; });
    while (!stream.gone()) std::this_thread::sleep_for(milliseconds(5));
    EXPECT_TRUE(support::eventually([&] { return changed.load(); }));
    done_ = true;
  });
  {
    RawClient client(address_);
    client.send(get("/stream") + get("/pipelined"));
    EXPECT_FALSE(client.read_some().empty());
  }
  EXPECT_TRUE(support::eventually([&] { return done_.load(); }));
}

TEST_F(StreamTest, EndsWhenItsTimeIsOver) {
  serve([](const Responder& responder) {
    const Stream stream =
        responder.stream(text(), {.until = std::chrono::steady_clock::now() + milliseconds(100)});
    stream.write("a");
    while (!stream.gone()) std::this_thread::sleep_for(milliseconds(5));
  });
  RawClient client(address_);
  const RawAnswer answer = client.ask(get("/stream"));
  EXPECT_EQ(answer.body, "a");
  EXPECT_FALSE(answer.whole);
}

TEST_F(StreamTest, HasNobodyToReadItForHead) {
  serve([this](const Responder& responder) {
    const Stream stream = responder.stream(text(), {});
    while (stream.write("x")) std::this_thread::sleep_for(milliseconds(1));
    done_ = true;
  });
  RawClient client(address_);
  client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read(true).status, 200);
  EXPECT_TRUE(support::eventually([&] { return done_.load(); }));
  EXPECT_EQ(client.ask(get("/next")).body, "GET /next ");
}

TEST_F(StreamTest, ServesHttp10WithoutChunks) {
  serve([](const Responder& responder) {
    const Stream stream = responder.stream(text(), {});
    stream.write("one ");
    stream.write("two");
    stream.end();
  });
  RawClient client(address_);
  const RawAnswer answer = client.ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.header("transfer-encoding"), "");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.body, "one two");
}

TEST_F(StreamTest, EndsWithTheServer) {
  ServerOptions options = free_port();
  options.deadlines.stop = milliseconds(10);
  serve(
      [this](const Responder& responder) {
        const Stream stream = responder.stream(text(), {});
        while (stream.write("x") && stream.wait_for_room()) {
          std::this_thread::sleep_for(milliseconds(1));
        }
        done_ = true;
      },
      options);
  RawClient client(address_);
  client.send(get("/stream"));
  EXPECT_FALSE(client.read_some().empty());
  server_->stop();
  EXPECT_TRUE(support::eventually([&] { return done_.load(); }));
}

}  // namespace
}  // namespace resmgr::api
