#include "cli/text.h"

#include <gtest/gtest.h>

namespace resmgr::cli {
namespace {

TEST(PrintableTest, LeavesTextAlone) {
  EXPECT_EQ(printable("Jupyter für alle, 笔记本 🚀"), "Jupyter für alle, 笔记本 🚀");
  EXPECT_EQ(printable(""), "");
}

TEST(PrintableTest, TakesEscapeSequencesApart) {
  EXPECT_EQ(printable("\x1b[2J\x1b]0;title\x07gone"), "?[2J?]0;title?gone");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "?2J")
      << "CSI as a single C1 character";
  EXPECT_EQ(printable("a\x7f"
                      "b\x08"
                      "c"),
            "a?b?c");
}

TEST(PrintableTest, MakesOneLine) { EXPECT_EQ(printable("a\nb\r\nc\td"), "a b  c d"); }

TEST(PrintableTest, ReplacesWhatChangesTheDirection) {
  EXPECT_EQ(printable("gpj.\u202eexe"), "gpj.?exe");
  EXPECT_EQ(printable("a\u2066b\u2069c\u200ed"), "a?b?c?d");
}

TEST(PrintableTest, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\xff\xfez"), "a??z");
  EXPECT_EQ(printable("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "???") << "surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????") << "beyond U+10FFFF";
  EXPECT_EQ(printable("\xe2\x82"), "??") << "cut off";
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
}

TEST(DisplayWidthTest, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("für"), 3);
  EXPECT_EQ(display_width("笔记本"), 6);
  EXPECT_EQ(display_width("🚀"), 2);
  EXPECT_EQ(display_width("e\u0301"), 1) << "a combining accent";
}

TEST(ShortenTest, CutsAtTheWidth) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdef", 5), "abcd…");
  EXPECT_EQ(shorten("abcdef", 1), "…");
  EXPECT_EQ(shorten("abcdef", 0), "");
}

TEST(ShortenTest, NeverHalvesACharacter) {
  EXPECT_EQ(shorten("笔记本", 6), "笔记本");
  EXPECT_EQ(shorten("笔记本", 5), "笔记…");
  EXPECT_EQ(shorten("笔记本", 4), "笔…");
}

}  // namespace
}  // namespace resmgr::cli
