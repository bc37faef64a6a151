// The bytes of COPY's binary format; that a server reads them is seen in postgres_sink_test.

#include "agent/sinks/postgres_binary.h"

#include <gtest/gtest.h>

#include <string>

namespace resmgr::sinks {
namespace {

// In hexadecimal digits; "refused" where the encoder does not know how to read the text.
std::string field(PostgresEncoder encode, std::string_view text) {
  std::string out = "before";
  if (!encode(out, text)) {
    EXPECT_EQ(out, "before") << text;
    return "refused";
  }
  EXPECT_TRUE(out.starts_with("before"));
  std::string hex;
  for (const char c : out.substr(6)) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4U];
    hex += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return hex;
}

TEST(PostgresBinary, FramesRows) {
  EXPECT_EQ(kPostgresSignature.size(), 11U + 4U + 4U);
  EXPECT_TRUE(kPostgresSignature.starts_with("PGCOPY\n\xff\r\n"));
  EXPECT_EQ(kPostgresTrailer, "\xff\xff");
  std::string out;
  begin_postgres_row(out, 0x0102);
  encode_null(out);
  EXPECT_EQ(out, "\x01\x02\xff\xff\xff\xff");
}

TEST(PostgresBinary, Uuid) {
  EXPECT_EQ(field(encode_uuid, "01a0eec5-2721-72d6-8043-871509fa8030"),
            "0000001001a0eec5272172d68043871509fa8030");
  EXPECT_EQ(field(encode_uuid, "ABCDEF01-0000-0000-0000-00000000000f"),
            "00000010abcdef0100000000000000000000000f");
  for (const char* const wrong :
       {"", "01a0eec5-2721-72d6-8043-871509fa803", "01a0eec5-2721-72d6-8043-871509fa80300",
        "01a0eec5-2721-72d6-8043-871509fa803g", "01a0eec5-2721-72d6-8043-871509fa80-0",
        "01a0eec502721-72d6-8043-871509fa8030", "01a0eec5-2721-72d6-8043--71509fa8030"}) {
    EXPECT_EQ(field(encode_uuid, wrong), "refused") << wrong;
  }
}

TEST(PostgresBinary, Text) {
  EXPECT_EQ(field(encode_varchar, ""), "00000000");
  EXPECT_EQ(field(encode_varchar, "a\xc3\xa4\n"), "0000000461c3a40a");
}

TEST(PostgresBinary, Integers) {
  EXPECT_EQ(field(encode_int, "-2147483648"), "0000000480000000");
  EXPECT_EQ(field(encode_int, "40001"), "0000000400009c41");
  EXPECT_EQ(field(encode_bigint, "9223372036854775807"), "000000087fffffffffffffff");
  EXPECT_EQ(field(encode_bigint, "-1"), "00000008ffffffffffffffff");
  for (const char* const wrong : {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "2147483648"}) {
    EXPECT_EQ(field(encode_int, wrong), "refused") << wrong;
  }
  EXPECT_EQ(field(encode_bigint, "9223372036854775808"), "refused");
}

TEST(PostgresBinary, Timestamp) {
  EXPECT_EQ(field(encode_timestamp, "2000-01-01T00:00:00Z"), "000000080000000000000000");
  EXPECT_EQ(field(encode_timestamp, "2000-01-01T00:00:00.001Z"), "0000000800000000000003e8");
  EXPECT_EQ(field(encode_timestamp, "1999-12-31T23:59:59.999Z"), "00000008fffffffffffffc18");
  EXPECT_EQ(field(encode_timestamp, "2000-01-01T00:00:01+00:00"), "0000000800000000000f4240");
  for (const char* const wrong : {"", "2000-01-01", "2000-01-01 00:00:00", "infinity"}) {
    EXPECT_EQ(field(encode_timestamp, wrong), "refused") << wrong;
  }
}

TEST(PostgresBinary, Interval) {
  EXPECT_EQ(field(encode_interval, "PT0S"), "00000010" + std::string(32, '0'));
  EXPECT_EQ(field(encode_interval, "PT1.001S"),
            "0000001000000000000f462800000000"
            "00000000");
  EXPECT_EQ(field(encode_interval, "PT25H"),
            "0000001000000014f46b040000000000"
            "00000000");
  for (const char* const wrong : {"", "P1D", "1 hour", "PT9223372036855S"}) {
    EXPECT_EQ(field(encode_interval, wrong), "refused") << wrong;
  }
}

}  // namespace
}  // namespace resmgr::sinks
