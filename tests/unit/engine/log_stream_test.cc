#include "agent/engine/log_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "common/error.h"

namespace resmgr::engine {
namespace {

using testing::HasSubstr;

std::string frame(int stream, const std::string& payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::string bytes{static_cast<char>(stream), 0, 0, 0};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>(size >> shift & 0xFFU);
  }
  return bytes + payload;
}

struct Reading {
  std::string text;
  bool wanted_more = true;
  bool at_boundary = false;
};

Reading read(const std::vector<std::string_view>& pieces) {
  LogDemultiplexer frames;
  Reading reading;
  for (const std::string_view piece : pieces) {
    reading.wanted_more = frames.feed(piece, [&](std::string_view bytes) {
      EXPECT_FALSE(bytes.empty());
      reading.text += bytes;
      return true;
    });
  }
  reading.at_boundary = frames.at_boundary();
  return reading;
}

ErrorKind kind_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error was thrown";
  return ErrorKind::internal;
}

TEST(LogDemultiplexer, JoinsBothStreamsInOrder) {
  const std::string bytes = frame(1, "out\n") + frame(2, "err\n") + frame(1, "out again\n");
  const Reading reading = read({bytes});
  EXPECT_EQ(reading.text, "out\nerr\nout again\n");
  EXPECT_TRUE(reading.at_boundary);
}

TEST(LogDemultiplexer, NothingIsAWholeStream) {
  EXPECT_TRUE(read({}).at_boundary);
  EXPECT_TRUE(read({""}).at_boundary);
}

TEST(LogDemultiplexer, FramesMayBeCutAnywhere) {
  const std::string bytes = frame(1, "hello\n") + frame(2, "") + frame(2, "world\n");
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      const std::string_view all = bytes;
      const Reading reading =
          read({all.substr(0, first), all.substr(first, second - first), all.substr(second)});
      ASSERT_EQ(reading.text, "hello\nworld\n") << first << " " << second;
      ASSERT_TRUE(reading.at_boundary);
    }
  }
}

TEST(LogDemultiplexer, PayloadMayHoldAnyBytes) {
  std::string payload;
  for (int i = 0; i < 256; ++i) payload += static_cast<char>(i);
  EXPECT_EQ(read({frame(1, payload)}).text, payload);
}

TEST(LogDemultiplexer, TruncationIsSeen) {
  const std::string bytes = frame(1, "hello\n");
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(read({std::string_view(bytes).substr(0, size)}).at_boundary) << size;
  }
}

TEST(LogDemultiplexer, EmptyFramesGiveNothing) {
  const Reading reading = read({frame(1, "") + frame(2, "")});
  EXPECT_EQ(reading.text, "");
  EXPECT_TRUE(reading.at_boundary);
}

TEST(LogDemultiplexer, HugeLengthIsPassedOnAsItComes) {
  using namespace std::string_literals;
  const Reading reading = read({"\x01\0\0\0\xFF\xFF\xFF\xFF"s + "only this came"});
  EXPECT_EQ(reading.text, "only this came");
  EXPECT_FALSE(reading.at_boundary);
}

TEST(LogDemultiplexer, WhatIsNoFrameIsUnavailable) {
  using namespace std::string_literals;
  for (const std::string& bytes :
       {"plain text of a terminal"s, "\x04\0\0\0\0\0\0\1x"s, "\x01\1\0\0\0\0\0\1x"s,
        "\x01\0\1\0\0\0\0\1x"s, "\x01\0\0\1\0\0\0\1x"s, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s}) {
    EXPECT_EQ(kind_of([&] { read({bytes}); }), ErrorKind::unavailable) << bytes;
  }
}

TEST(LogDemultiplexer, FaultAfterGoodFramesComesAfterTheirText) {
  LogDemultiplexer frames;
  std::string text;
  const auto output = [&](std::string_view bytes) {
    text += bytes;
    return true;
  };
  EXPECT_EQ(kind_of([&] { frames.feed(frame(1, "good\n") + "no frame", output); }),
            ErrorKind::unavailable);
  EXPECT_EQ(text, "good\n");
}

TEST(LogDemultiplexer, ErrorOfTheDaemonIsRejectedInItsWords) {
  try {
    read({frame(1, "text\n") + frame(3, "the log\nis gone")});
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::rejected);
    EXPECT_THAT(error.message(), HasSubstr("the log is gone"));
  }
  EXPECT_EQ(kind_of([&] { read({frame(3, "")}); }), ErrorKind::rejected);
}

TEST(LogDemultiplexer, ErrorOfTheDaemonIsBounded) {
  try {
    read({frame(3, std::string(5'000'000, 'x'))});
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_LT(error.message().size(), 1'100U);
  }
}

TEST(LogDemultiplexer, ReaderMayHaveEnough) {
  LogDemultiplexer frames;
  int pieces = 0;
  EXPECT_FALSE(frames.feed(frame(1, "one") + frame(1, "two"), [&](std::string_view) {
    ++pieces;
    return false;
  }));
  EXPECT_EQ(pieces, 1);
}

}  // namespace
}  // namespace resmgr::engine
