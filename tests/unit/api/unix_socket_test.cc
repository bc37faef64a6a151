#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "common/error.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/api/raw_client.h"
#include "tests/unit/api/scripted_application.h"

namespace resmgr::api {
namespace {

using testing::HasSubstr;

class UnixSocketTest : public testing::Test {
 protected:
  ServerOptions options(const std::string& group = "") const {
    ServerOptions options;
    options.listen = {};
    options.socket_path = path_;
    options.socket_group = group;
    return options;
  }
  mode_t mode() const {
    struct stat info {};
    EXPECT_EQ(lstat(path_.c_str(), &info), 0);
    return info.st_mode & 07777;
  }

  support::TempDir dir_;
  std::string path_ = dir_.path() / "agent.sock";
  ScriptedApplication app_;
};

TEST_F(UnixSocketTest, SaysWhoCalls) {
  app_.on_handle = [](const std::shared_ptr<Exchange>& exchange) {
    Response response = ScriptedApplication::echo(exchange->request);
    const Peer& peer = exchange->request.peer;
    response.body = std::to_string(peer.uid.value_or(12345)) + peer.address;
    return response;
  };
  HttpServer server(options(), app_);
  server.start();
  EXPECT_EQ(RawClient(path_).ask(get("/")).body, std::to_string(getuid()));
}

TEST_F(UnixSocketTest, IsForTheOwnerAloneWithoutItsGroup) {
  HttpServer server(options("no-such-group-here"), app_);
  server.start();
  EXPECT_EQ(mode(), 0600U);
}

TEST_F(UnixSocketTest, IsForTheGroupToo) {
  const group* const own = getgrgid(getgid());
  ASSERT_NE(own, nullptr);
  HttpServer server(options(own->gr_name), app_);
  server.start();
  EXPECT_EQ(mode(), 0660U);
}

TEST_F(UnixSocketTest, IsRemovedAtTheEnd) {
  {
    HttpServer server(options(), app_);
    server.start();
    EXPECT_TRUE(std::filesystem::exists(path_));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, ReplacesWhatAKilledAgentHasLeft) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  std::strncpy(raw.sun_path, path_.c_str(), sizeof raw.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&raw), sizeof raw), 0);
  close(fd);
  HttpServer server(options(), app_);
  server.start();
  EXPECT_EQ(RawClient(path_).ask(get("/")).status, 200);
}

TEST_F(UnixSocketTest, LeavesAnAgentThatAnswersAlone) {
  HttpServer first(options(), app_);
  first.start();
  HttpServer second(options(), app_);
  EXPECT_THROW(second.start(), Error);
  second.stop();
  EXPECT_EQ(RawClient(path_).ask(get("/")).status, 200);
}

TEST_F(UnixSocketTest, LeavesOtherFilesAlone) {
  dir_.write("agent.sock", "precious");
  HttpServer server(options(), app_);
  EXPECT_THROW(server.start(), Error);
  EXPECT_EQ(support::read_file(path_), "precious");
}

TEST_F(UnixSocketTest, RefusesAPathThatIsTooLong) {
  ServerOptions too_long = options();
  too_long.socket_path = dir_.path() / std::string(120, 'a');
  HttpServer server(too_long, app_);
  try {
    server.start();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("107 bytes"));
  }
}

}  // namespace
}  // namespace resmgr::api
