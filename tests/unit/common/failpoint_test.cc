#include "common/failpoint.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace resmgr {
namespace {

TEST(Failpoints, AreNamedOnce) {
  const std::set<std::string_view> names(kFailpoints.begin(), kFailpoints.end());
  EXPECT_EQ(names.size(), kFailpoints.size());
}

// One that is reached only before or only after would leave half of the histories out.
TEST(Failpoints, StandBeforeAndAfter) {
  const std::set<std::string> names(kFailpoints.begin(), kFailpoints.end());
  for (std::string name : names) {
    const auto at = name.find("before_");
    if (at == std::string::npos) continue;
    EXPECT_TRUE(names.contains(name.replace(at, 6, "after"))) << name;
  }
}

#ifdef RESMGR_FAILPOINTS
TEST(Failpoints, CallTheThreadsHandler) {
  std::vector<std::string> reached;
  set_failpoint_handler([&](std::string_view name) { reached.emplace_back(name); });
  failpoint("engine.before_create");
  set_failpoint_handler({});
  failpoint("engine.after_create");
  EXPECT_EQ(reached, std::vector<std::string>{"engine.before_create"});
}
#endif

}  // namespace
}  // namespace resmgr
