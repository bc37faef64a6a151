// Image names, credentials, progress, lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "agent/engine/image_source.h"
#include "agent/engine/line_splitter.h"
#include "agent/engine/pull_progress.h"
#include "common/crypto.h"
#include "common/error.h"
#include "common/json.h"
#include "tests/support/temp_dir.h"
#include "tests/support/thrown.h"

namespace resmgr::engine {
namespace {

using support::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Json decode(const std::string& header) {
  EXPECT_EQ(header.size() % 4, 0U);
  std::string bare = header;
  while (bare.ends_with('=')) bare.pop_back();
  return parse_json(base64url_decode(bare).value(), "auth");
}

struct NameCase {
  const char* image;
  const char* name;
  const char* tag;
  const char* registry;
};

TEST(ImageSource, NamesAreSplitAsTheEngineWantsThem) {
  const NameCase cases[] = {
      {"busybox", "busybox", "latest", "docker.io"},
      {"busybox:1.36", "busybox", "1.36", "docker.io"},
      {"user/app", "user/app", "latest", "docker.io"},
      {"docker.io/library/busybox:1", "docker.io/library/busybox", "1", "docker.io"},
      {"index.docker.io/user/app", "index.docker.io/user/app", "latest", "docker.io"},
      {"quay.io/jupyter/minimal-notebook:latest", "quay.io/jupyter/minimal-notebook", "latest",
       "quay.io"},
      {"127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b", "latest", "127.0.0.1:5000"},
      {"localhost/a:2", "localhost/a", "2", "localhost"},
      {"host:5000/a:2", "host:5000/a", "2", "host:5000"},
      {"a@sha256:0123", "a", "sha256:0123", "docker.io"},
      {"quay.io/a:1@sha256:0123", "quay.io/a", "sha256:0123", "quay.io"},
      {"", "", "latest", "docker.io"},
      {":", "", "latest", "docker.io"},
  };
  for (const NameCase& one : cases) {
    const ImageSource source = parse_image(one.image);
    EXPECT_EQ(source.name, one.name) << one.image;
    EXPECT_EQ(source.tag, one.tag) << one.image;
    EXPECT_EQ(source.registry, one.registry) << one.image;
  }
}

TEST(RegistryAuth, UserAndPasswordAreFoundByHost) {
  const std::string config = R"({"auths": {"quay.io": {"auth": ")" +
                             base64_encode("someone:pass:word") +
                             R"("}, "https://reg.example:5000/v2/": {"auth": ")" +
                             base64_encode("other:secret") + R"("}}})";
  const Json quay = decode(registry_auth(config, "quay.io").value());
  EXPECT_EQ(quay["username"], "someone");
  EXPECT_EQ(quay["password"], "pass:word");
  EXPECT_EQ(quay["serveraddress"], "quay.io");
  EXPECT_EQ(decode(registry_auth(config, "reg.example:5000").value())["username"], "other");
  EXPECT_FALSE(registry_auth(config, "reg.example"));
  EXPECT_FALSE(registry_auth(config, "docker.io"));
}

TEST(RegistryAuth, DockerHubHasItsOwnKey) {
  const std::string config =
      R"({"auths": {"https://index.docker.io/v1/": {"auth": ")" + base64_encode("a:b") + R"("}}})";
  EXPECT_EQ(decode(registry_auth(config, "docker.io").value())["username"], "a");
}

TEST(RegistryAuth, IdentityTokensAreSentAsSuch) {
  const Json auth =
      decode(registry_auth(R"({"auths": {"quay.io": {"auth": "bm86Cg==", "identitytoken": "t"}}})",
                           "quay.io")
                 .value());
  EXPECT_EQ(auth["identitytoken"], "t");
  EXPECT_FALSE(auth.contains("password"));
}

TEST(RegistryAuth, FileWithoutAnEntryIsAnonymous) {
  for (const char* config : {"{}", R"({"auths": {}})", R"({"auths": {"quay.io": {}}})",
                             R"({"auths": []})", R"({"credsStore": "desktop"})", "[]"}) {
    EXPECT_FALSE(registry_auth(config, "quay.io")) << config;
  }
}

TEST(RegistryAuth, FaultyFileIsAConfigErrorWithoutSecrets) {
  for (const char* config : {"hunter2", R"({"auths": {"quay.io": {"auth": "hunter2"}}})",
                             R"({"auths": {"quay.io": {"auth": "aHVudGVyMg=="}}})"}) {
    const Error error = error_of([&] { registry_auth(config, "quay.io"); });
    EXPECT_EQ(error.kind(), ErrorKind::config) << config;
    EXPECT_THAT(error.message(), Not(HasSubstr("hunter2")));
    EXPECT_THAT(error.message(), Not(HasSubstr("aHVudGVyMg")));
  }
}

TEST(RegistryAuth, FileIsReadWhenItIsNamed) {
  EXPECT_FALSE(read_registry_auth("", "quay.io"));
  const support::TempDir dir;
  EXPECT_EQ(error_of([&] { read_registry_auth(dir.path() / "missing", "quay.io"); }).kind(),
            ErrorKind::config);
  EXPECT_EQ(error_of([&] { read_registry_auth(dir.path(), "quay.io"); }).kind(), ErrorKind::config);
  const std::string file =
      dir.write("config.json", R"({"auths": {"quay.io": {"username": "u", "password": "p"}}})");
  EXPECT_EQ(decode(read_registry_auth(file, "quay.io").value())["username"], "u");
  const std::string huge = dir.write("huge.json", std::string(2 << 20, ' ') + "{}");
  EXPECT_EQ(error_of([&] { read_registry_auth(huge, "quay.io"); }).kind(), ErrorKind::config);
}

TEST(PullTracker, SumsUpTheLayers) {
  PullTracker tracker("hello");
  EXPECT_EQ(tracker.feed(R"({"status": "Pulling from library/hello", "id": "latest"})").total_bytes,
            0);
  tracker.feed(
      R"({"status": "Downloading", "id": "a", "progressDetail": {"current": 10, "total": 100}})");
  PullProgress progress = tracker.feed(
      R"({"status": "Downloading", "id": "b", "progressDetail": {"current": 5, "total": 50}})");
  EXPECT_EQ(progress.done_bytes, 15);
  EXPECT_EQ(progress.total_bytes, 150);
  EXPECT_EQ(progress.status, "Downloading");
  // Unpacking counts the same bytes once more, from nothing.
  progress = tracker.feed(
      R"({"status": "Extracting", "id": "b", "progressDetail": {"current": 1, "total": 50}})");
  EXPECT_EQ(progress.done_bytes, 15);
  progress = tracker.feed(R"({"status": "Download complete", "id": "a"})");
  EXPECT_EQ(progress.done_bytes, 105);
  progress = tracker.feed(R"({"status": "Pull complete", "id": "b"})");
  EXPECT_EQ(progress.done_bytes, 150);
  EXPECT_EQ(tracker.feed(R"({"status": "Already exists", "id": "c"})").total_bytes, 150);
}

TEST(PullTracker, ProgressNeverGoesBackNorBeyondTheWhole) {
  PullTracker tracker("hello");
  tracker.feed(
      R"({"status": "Downloading", "id": "a", "progressDetail": {"current": 80, "total": 100}})");
  PullProgress progress = tracker.feed(
      R"({"status": "Downloading", "id": "a", "progressDetail": {"current": 10, "total": 100}})");
  EXPECT_EQ(progress.done_bytes, 80);
  progress =
      tracker.feed(R"({"status": "Downloading", "id": "a", "progressDetail": {"current": 300}})");
  EXPECT_EQ(progress.done_bytes, 300);
  EXPECT_EQ(progress.total_bytes, 300);
}

TEST(PullTracker, NumbersOfAnySizeDontOverflow) {
  PullTracker tracker("hello");
  PullProgress progress;
  for (int i = 0; i < 2'000; ++i) {
    progress = tracker.feed(R"({"status": "Downloading", "id": ")" + std::to_string(i) +
                            R"(", "progressDetail": {"current": -9223372036854775808,
                                 "total": 9223372036854775807}})");
  }
  EXPECT_GE(progress.done_bytes, 0);
  EXPECT_GT(progress.total_bytes, 0);
}

TEST(PullTracker, ErrorLineIsRejectedInTheDaemonsWords) {
  for (const char* line :
       {R"({"errorDetail": {"message": "no space left"}, "error": "no space left"})",
        R"({"errorDetail": {"message": "no space left"}})", R"({"error": "no space left\n"})"}) {
    PullTracker tracker("hello");
    const Error error = error_of([&] { tracker.feed(line); });
    EXPECT_EQ(error.kind(), ErrorKind::rejected);
    EXPECT_EQ(error.message(), "cannot pull image 'hello': no space left");
  }
  PullTracker tracker("hello");
  EXPECT_EQ(error_of([&] { tracker.feed(R"({"error": 7})"); }).kind(), ErrorKind::rejected);
}

TEST(PullTracker, OddLinesAreTakenAsTheyCome) {
  PullTracker tracker("hello");
  for (const char* line : {"{}", "[]", "7", R"({"status": 3, "id": 4, "progressDetail": 5})",
                           R"({"status": "Downloading", "id": "a", "progressDetail": null})"}) {
    EXPECT_EQ(tracker.feed(line).done_bytes, 0) << line;
  }
  EXPECT_EQ(error_of([&] { tracker.feed("<html>"); }).kind(), ErrorKind::unavailable);
}

std::vector<std::string> lines_of(const std::vector<std::string_view>& pieces) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  for (const std::string_view piece : pieces) {
    splitter.feed(piece, [&](std::string_view line) { lines.emplace_back(line); });
  }
  return lines;
}

TEST(LineSplitter, LinesMayBeCutAnywhere) {
  const std::string_view text = "one\r\ntwo\n\n\r\nthree\nrest";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_THAT(lines_of({text.substr(0, cut), text.substr(cut)}),
                ElementsAre("one", "two", "three"))
        << cut;
  }
}

TEST(LineSplitter, RestIsKept) {
  LineSplitter splitter;
  splitter.feed("one\nre", [](std::string_view) {});
  splitter.feed("st", [](std::string_view) {});
  EXPECT_EQ(splitter.rest(), "rest");
}

TEST(LineSplitter, LineWithoutEndIsUnavailable) {
  LineSplitter splitter;
  const std::string piece(LineSplitter::kLongestLine / 4 + 1, 'x');
  EXPECT_EQ(error_of([&] {
              for (int i = 0; i < 4; ++i) splitter.feed(piece, [](std::string_view) {});
            }).kind(),
            ErrorKind::unavailable);
}

}  // namespace
}  // namespace resmgr::engine
