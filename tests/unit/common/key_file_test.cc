#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/config.h"
#include "common/error.h"
#include "tests/support/temp_dir.h"

namespace resmgr {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class KeyFileTest : public testing::Test {
 protected:
  std::string read(std::string_view bytes) { return read_key_file(dir_.write("key", bytes)); }
  std::string refusal(const std::string& path) {
    try {
      read_key_file(path);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::config);
      EXPECT_THAT(e.message(), HasSubstr(path));
      return e.message();
    }
    return "taken";
  }

  support::TempDir dir_;
};

TEST_F(KeyFileTest, GivesItsBytesLessOneNewline) {
  EXPECT_EQ(read("secret"), "secret");
  EXPECT_EQ(read("secret\n"), "secret");
  EXPECT_EQ(read("secret\n\n"), "secret\n");
  EXPECT_EQ(read({"\0\xff\n", 3}), std::string("\0\xff", 2));
}

TEST_F(KeyFileTest, DecodesBase64) {
  EXPECT_EQ(read("base64:Zm9vYg==\n"), "foob");
  EXPECT_EQ(read("base64:Zm9vYg=="), "foob");
  EXPECT_EQ(read("Base64:Zm9v"), "Base64:Zm9v");
}

TEST_F(KeyFileTest, RefusesWhatIsNoKey) {
  EXPECT_THAT(refusal(dir_.path() / "missing"), HasSubstr("No such file"));
  EXPECT_THAT(refusal(dir_.path()), HasSubstr("directory"));
  EXPECT_THAT(refusal(dir_.write("a", "")), HasSubstr("it is empty"));
  EXPECT_THAT(refusal(dir_.write("b", "\n")), HasSubstr("it is empty"));
  EXPECT_THAT(refusal(dir_.write("c", "base64:\n")), HasSubstr("it is empty"));
  EXPECT_THAT(refusal(dir_.write("d", "base64:hunter2!")),
              AllOf(HasSubstr("base64"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(refusal(dir_.write("e", std::string((1 << 20) + 1, 'x'))),
              HasSubstr("File too large"));
}

TEST_F(KeyFileTest, WarnsIfOthersMayReadIt) {
  const std::string path = dir_.write("key", "hunter2");
  testing::internal::CaptureStderr();
  read_key_file(path);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  testing::internal::CaptureStderr();
  read_key_file(path);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr(path), HasSubstr("chmod o-rwx"), Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace resmgr
