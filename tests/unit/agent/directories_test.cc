// Hazard 37: a directory is one agent's, and who has it is named.

#include "agent/directories.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "common/error.h"
#include "tests/support/temp_dir.h"

namespace resmgr {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(LockedDirectory, IsForOne) {
  const support::TempDir dir;
  const std::string path = dir.path() / "data";
  {
    const LockedDirectory first(path, 0700);
    try {
      const LockedDirectory second(path, 0700);
      FAIL() << "both have it";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      EXPECT_THAT(error.message(), AllOf(HasSubstr("'" + path + "'"),
                                         HasSubstr("(process " + std::to_string(getpid()) + ")")));
      EXPECT_NE(error.hint(), "");
    }
  }
  EXPECT_NO_THROW(LockedDirectory(path, 0700)) << "it was given back";
}

// The number that stands in the file is the holder's, also where a longer one stood there before.
TEST(LockedDirectory, NamesItsHolderAndNobodyBefore) {
  const support::TempDir dir;
  dir.write("lock", "123456789012345678\n");
  const LockedDirectory held(dir.path(), 0700);
  EXPECT_EQ(support::read_file(dir.path() / "lock"), std::to_string(getpid()) + "\n");
}

}  // namespace
}  // namespace resmgr
