// Examples and rules of https://www.w3.org/TR/trace-context/#traceparent-header.

#include "agent/api/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace resmgr::api {
namespace {

constexpr char kExample[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, ReadsAParent) {
  const auto context = parse_traceparent(kExample);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(context->parent_id, "b7ad6b7169203331");
  // Not sampled by the caller: its trace all the same.
  EXPECT_TRUE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"));
}

TEST(TraceContext, ReadsOfLaterVersionsWhatItKnows) {
  const std::string later = "cc" + std::string(kExample).substr(2);
  EXPECT_TRUE(parse_traceparent(later));
  EXPECT_EQ(parse_traceparent(later + "-what-comes").value().parent_id, "b7ad6b7169203331");
  EXPECT_FALSE(parse_traceparent(later + ".what"));
  EXPECT_FALSE(parse_traceparent(std::string(kExample) + "-what-comes"));
}

TEST(TraceContext, GoesWithoutWhereItIsWrong) {
  for (const char* const wrong :
       {"", "-", "00", "00-", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
        "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(parse_traceparent(wrong)) << wrong;
  }
  const std::string whole = kExample;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_traceparent(std::string_view(whole).substr(0, length))) << length;
  }
}

}  // namespace
}  // namespace resmgr::api
