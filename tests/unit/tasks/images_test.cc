#include "agent/tasks/images.h"

#include <gtest/gtest.h>

#include "tests/support/eventually.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

class ImagesTest : public testing::Test {
 protected:
  ImagesTest() { world.boot(); }
  ImageState state() { return world.service->images().at(0); }

  World world;
};

TEST_F(ImagesTest, AreThoseOfTheCatalog) {
  world.set_catalog(
      "name = \"web\"\nimage = \"web:9\"\ncontainer_port = 1\nbuild = \"/make/web\"\n");
  const ImageState image = state();
  EXPECT_EQ(image.image, "web:9");
  EXPECT_EQ(image.services, std::vector<std::string>{"web"});
  EXPECT_EQ(image.build, "/make/web");
  EXPECT_FALSE(image.present);
}

TEST_F(ImagesTest, AreTheSameForTheSpecOfAContainerWhateverBuildsThem) {
  const char* const text = "name = \"web\"\nimage = \"web:9\"\ncontainer_port = 1\n";
  const auto plain = catalog::Catalog::from_text(text, "a.toml");
  const auto built =
      catalog::Catalog::from_text(std::string(text) + "build = \"/make/web\"\n", "a.toml");
  EXPECT_EQ(plain->services().at(0).spec_hash, built->services().at(0).spec_hash);
}

TEST_F(ImagesTest, APullIsSeenToItsEnd) {
  world.engine.remove_image("web:1");
  world.engine.add_pullable("web:1");
  EXPECT_FALSE(state().present);
  world.service->pull_image("web");
  EXPECT_TRUE(support::eventually([&] { return !state().pulling && state().present; }));
  EXPECT_EQ(state().last_error, "");
}

TEST_F(ImagesTest, WhyAPullFailedIsKeptUntilTheNext) {
  world.set_catalog("name = \"web\"\nimage = \"nowhere:1\"\ncontainer_port = 1\n");
  world.service->pull_image("web");
  EXPECT_TRUE(support::eventually([&] { return !state().pulling; }));
  EXPECT_NE(state().last_error, "");
  EXPECT_THROW(world.service->pull_image("none"), Error);
}

TEST_F(ImagesTest, NobodyKnowsWhileTheEngineIsAway) {
  world.engine.set_reachable(false);
  EXPECT_THROW(world.service->images(), Error);
}

}  // namespace
}  // namespace resmgr::tasks
