// `resmgr images`.

#include "common/wire.h"
#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ImagesTest : public CommandTest {
 protected:
  ImagesTest() {
    agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (request.target == wire::kImages) return json_answer(200, images);
      if (request.target != wire::kPullImage) return std::nullopt;
      pulled.push_back(string_or(Json::parse(request.body), "serviceType"));
      for (Json& image : images) {
        if (image["services"][0] == pulled.back()) image["pulling"] = true;
      }
      return json_answer(202, images[0]);
    };
  }
  static Json image(const char* name, const char* service, bool present, Json build = nullptr) {
    return {{"image", name},       {"services", {service}}, {"build", std::move(build)},
            {"present", present},  {"pulling", false},      {"pull", nullptr},
            {"lastError", nullptr}};
  }

  Json images = {image("hello:1", "hello", true, "/share/hello/build"),
                 image("jupyter:1", "jupyter", false, "/share/jupyter/build"),
                 image("other:1", "other", false)};
  std::vector<std::string> pulled;
};

TEST_F(ImagesTest, ListsWhatTheCatalogNeeds) {
  EXPECT_EQ(run({"images"}), kDone);
  EXPECT_EQ(out.text,
            "hello:1\thello\tpresent\t/share/hello/build\t\n"
            "jupyter:1\tjupyter\tmissing\t/share/jupyter/build\t\n"
            "other:1\tother\tmissing\t\t\n");
  EXPECT_EQ(run({"images", "list", "hello", "--output", "json"}), kDone);
  EXPECT_EQ(Json::parse(out.text), Json::array({images[0]}));
  EXPECT_EQ(run({"images", "list", "nothing"}), kNotFound);
  EXPECT_EQ(run({"images", "destroy"}), kUsage);
  out.terminal = true;
  EXPECT_EQ(run({"images"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("missing"));
}

TEST_F(ImagesTest, PullsShowsHowFarAndWaits) {
  err.terminal = true;
  int looks = 0;
  on_sleep = [&] {
    images[1]["pull"] = {{"doneBytes", 50}, {"totalBytes", 100}, {"status", "Downloading"}};
    if (++looks < 3) return;
    images[1]["pulling"] = false;
    images[1]["present"] = true;
  };
  EXPECT_EQ(run({"images", "pull", "jupyter"}), kDone);
  EXPECT_THAT(pulled, ElementsAre("jupyter"));
  EXPECT_THAT(err.text, HasSubstr("jupyter:1: pulling its image [##########..........] 50 %"));
  EXPECT_EQ(out.text, "jupyter:1\tjupyter\tpresent\t/share/jupyter/build\t\n");
  EXPECT_EQ(looks, 3);
}

TEST_F(ImagesTest, APullThatFailedIsAFailure) {
  on_sleep = [&] {
    for (Json& image : images) image["pulling"] = false;
    images[2]["lastError"] = "the registry is away";
  };
  EXPECT_EQ(run({"images", "pull"}), kFailed);
  EXPECT_THAT(pulled, ElementsAre("hello", "jupyter", "other"));
  EXPECT_THAT(out.text, HasSubstr("the registry is away"));
}

TEST_F(ImagesTest, BuildsWhatIsMissingOrNamed) {
  EXPECT_EQ(run({"images", "build"}), kDone) << err.text;
  EXPECT_THAT(programs, ElementsAre("/share/jupyter/build"));
  programs.clear();
  EXPECT_EQ(run({"images", "build", "hello"}), kDone);
  EXPECT_THAT(programs, ElementsAre("/share/hello/build"));
  EXPECT_EQ(run({"images", "build", "other"}), kNotFound);
  EXPECT_THAT(err.text, HasSubstr("resmgr images pull other"));
  program_code = 3;
  EXPECT_EQ(run({"images", "build", "hello"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("ended with code 3"));
}

// What another host names is not run on this one.
TEST_F(ImagesTest, RunsNothingThatARemoteAgentNames) {
  EXPECT_EQ(run({"--agent", "http://127.0.0.1:7070", "images", "build"}), kUsage);
  EXPECT_THAT(programs, IsEmpty());
}

}  // namespace
}  // namespace resmgr::cli
