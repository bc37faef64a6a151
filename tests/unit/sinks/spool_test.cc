#include "agent/sinks/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <numeric>
#include <thread>

#include "common/error.h"
#include "tests/support/temp_dir.h"

namespace resmgr::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string line(int number, std::size_t size = 0) {
  std::string text = "{\"@t\":\"" + std::to_string(number) + "\"";
  if (text.size() + 1 < size) text += std::string(size - text.size() - 1, ' ');
  return text + "}";
}

int number_of(const std::string& text) { return std::stoi(text.substr(7)); }

class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    options_.folder = dir_.path() / "spool";
    open();
  }

  void open() {
    spool_.reset();
    spool_ = std::make_unique<Spool>(options_);
  }
  void append(int from, int to, std::size_t size = 0) {
    for (int i = from; i < to; ++i) spool_->append(line(i, size));
    spool_->flush();
  }
  // The numbers of all that is left, and -n for a gap of n; released as it is read.
  std::vector<int> drain(std::size_t most_lines = 100, std::size_t most_bytes = 1 << 20) {
    std::vector<int> numbers;
    for (;;) {
      const auto chunk = spool_->read(most_lines, most_bytes);
      if (chunk.empty()) return numbers;
      EXPECT_TRUE(chunk.lines.empty() || chunk.missing == 0);
      EXPECT_LE(chunk.lines.size(), most_lines);
      for (const std::string& text : chunk.lines) numbers.push_back(number_of(text));
      if (chunk.missing > 0) numbers.push_back(static_cast<int>(-chunk.missing));
      spool_->release(chunk);
    }
  }
  std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(options_.folder)) {
      if (entry.path().extension() == ".clef") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }
  std::uintmax_t bytes_on_disk() const {
    std::uintmax_t bytes = 0;
    for (const auto& file : segments()) bytes += std::filesystem::file_size(file);
    return bytes;
  }

  support::TempDir dir_;
  SpoolOptions options_;
  std::unique_ptr<Spool> spool_;
};

TEST_F(SpoolTest, GivesBackWhatItGotInOrder) {
  EXPECT_TRUE(spool_->read(10, 100).empty());
  append(1, 6);
  EXPECT_THAT(drain(2), ElementsAre(1, 2, 3, 4, 5));
  append(6, 8);
  EXPECT_THAT(drain(), ElementsAre(6, 7));
}

TEST_F(SpoolTest, ReadsAgainWhatWasNotReleased) {
  append(1, 4);
  EXPECT_THAT(spool_->read(2, 1'000).lines, ElementsAre(line(1), line(2)));
  EXPECT_THAT(spool_->read(2, 1'000).lines, ElementsAre(line(1), line(2)));
  EXPECT_THAT(drain(), ElementsAre(1, 2, 3));
}

TEST_F(SpoolTest, KeepsToTheBytesThatAreAskedForButGivesOneLine) {
  append(1, 5, 100);
  EXPECT_THAT(spool_->read(10, 1).lines, SizeIs(1));
  EXPECT_THAT(spool_->read(10, 250).lines, SizeIs(2));
}

TEST_F(SpoolTest, GoesOnAfterARestart) {
  append(1, 6);
  const auto chunk = spool_->read(2, 1'000);
  spool_->release(chunk);
  open();
  append(6, 8);
  EXPECT_THAT(drain(), ElementsAre(3, 4, 5, 6, 7));
  open();
  EXPECT_THAT(drain(), IsEmpty());
  append(8, 9);
  EXPECT_THAT(drain(), ElementsAre(8));
}

TEST_F(SpoolTest, WritesWhatWaitsBeforeItEnds) {
  for (int i = 0; i < 1'000; ++i) spool_->append(line(i));
  open();
  EXPECT_THAT(drain(), SizeIs(1'000));
}

// A line that the process was just writing when it was killed.
TEST_F(SpoolTest, DropsATornLastLine) {
  append(1, 4);
  spool_.reset();
  std::ofstream(segments().back(), std::ios::app) << line(4).substr(0, 5);
  open();
  append(5, 7);
  EXPECT_THAT(drain(), ElementsAre(1, 2, 3, 5, 6));
}

TEST_F(SpoolTest, BeginsAnewAfterASegmentWithoutAWholeLine) {
  append(1, 2);
  drain();
  spool_.reset();
  std::ofstream(segments().back(), std::ios::trunc) << line(4).substr(0, 5);
  open();
  append(5, 7);
  // After the power was lost, the cursor may know more than the segments.
  EXPECT_THAT(drain(), ElementsAre(5, 6));
}

// After a power loss the cursor may be newer than what it counts.
TEST_F(SpoolTest, GoesOnWhereTheCursorIsAheadOfTheLines) {
  options_.most_bytes = 64 << 10;
  open();
  append(1, 4);
  spool_.reset();
  static_cast<void>(dir_.write("spool/cursor", "1000\n"));
  open();
  append(4, 204, 100);
  const auto numbers = drain();
  EXPECT_EQ(numbers.size(), 200U);
  EXPECT_EQ(numbers.front(), 4);
}

TEST_F(SpoolTest, WritesOverATornLineWhateverItsLength) {
  append(1, 3);
  spool_.reset();
  std::ofstream(segments().back(), std::ios::app) << line(3, 500).substr(0, 400);
  open();
  append(4, 5);
  open();
  append(5, 6);
  EXPECT_THAT(drain(), ElementsAre(1, 2, 4, 5));
}

// After a power loss: blocks that were never written read as zeros.
TEST_F(SpoolTest, CountsLinesThatAreNoneAnyMore) {
  append(1, 3);
  spool_.reset();
  std::ofstream(segments().back(), std::ios::app) << std::string(100, '\0') << "\n"
                                                  << "{\"@t\":\"\x01\"}\n"
                                                  << line(5) << "\n";
  open();
  append(6, 7);
  EXPECT_THAT(drain(), ElementsAre(1, 2, -2, 5, 6));
}

// Hazard 27.
TEST_F(SpoolTest, DropsTheOldestWhenItIsFullAndCountsThem) {
  options_.most_bytes = 64 << 10;
  open();
  // One segment has them all, however many the writer takes at once.
  append(1, 11, 100);
  const auto in_flight = spool_->read(10, 100'000);
  append(11, 2'001, 100);
  EXPECT_LE(bytes_on_disk(), 64U << 10);
  EXPECT_GT(bytes_on_disk(), 48U << 10);
  // These were delivered, and are not among the lost.
  spool_->release(in_flight);
  const auto numbers = drain();
  ASSERT_LT(numbers.front(), 0);
  EXPECT_EQ(numbers.at(1), 11 - numbers.front());
  EXPECT_EQ(numbers.back(), 2'000);
  EXPECT_EQ(std::ssize(numbers) - 1 - numbers.front(), 1'990);
  EXPECT_EQ(std::ranges::count_if(numbers, [](int n) { return n < 0; }), 1);
}

TEST_F(SpoolTest, KnowsAfterARestartHowMuchItDropped) {
  options_.most_bytes = 64 << 10;
  open();
  append(1, 11, 100);
  spool_->release(spool_->read(10, 100'000));
  append(11, 2'001, 100);
  open();
  const auto numbers = drain();
  ASSERT_LT(numbers.front(), 0);
  EXPECT_EQ(std::ssize(numbers) - 1 - numbers.front(), 1'990);
}

TEST_F(SpoolTest, DeletesWhatIsReleased) {
  options_.most_bytes = 64 << 10;
  open();
  append(1, 401, 100);
  EXPECT_GT(segments().size(), 5U);
  drain();
  EXPECT_THAT(segments(), SizeIs(1));
  append(401, 403);
  EXPECT_THAT(drain(), ElementsAre(401, 402));
}

// A disk that takes no more: whoever logs does not notice, and is told later how much was lost.
TEST_F(SpoolTest, CountsWhatTheDiskDoesNotTake) {
  append(1, 3, 1'000);
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  getrlimit(RLIMIT_FSIZE, &usual);
  const rlimit small{4'500, usual.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  for (int i = 3; i < 8; ++i) append(i, i + 1, i == 3 ? 1'000 : 5'000);
  setrlimit(RLIMIT_FSIZE, &usual);
  append(8, 10, 1'000);
  std::signal(SIGXFSZ, before);
  EXPECT_THAT(drain(), ElementsAre(1, 2, 3, -4, 8, 9));
  open();
  append(10, 11);
  EXPECT_THAT(drain(), ElementsAre(10));
}

// While the disk hangs, memory is bounded too.
TEST_F(SpoolTest, CountsWhatDoesNotFitInMemory) {
  options_.most_waiting_bytes = 1'000;
  open();
  append(1, 3);
  spool_->append(line(3, 2'000));
  spool_->flush();
  append(4, 5);
  EXPECT_THAT(drain(), ElementsAre(1, 2, -1, 4));
}

TEST_F(SpoolTest, IsForItsOwnerAlone) {
  append(1, 2);
  struct stat status {};
  ASSERT_EQ(stat(options_.folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  ASSERT_EQ(stat(segments().front().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(SpoolTest, SaysWhichFolderItCanNotUse) {
  options_.folder = dir_.write("file", "");
  try {
    Spool spool(options_);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.message(), ::testing::HasSubstr(options_.folder));
  }
}

TEST_F(SpoolTest, SetsAsideALineUpToASize) {
  const std::string file = spool_->set_aside(line(1));
  EXPECT_EQ(support::read_file(file), line(1) + "\n");
  for (int i = 0; i < 20; ++i) spool_->set_aside(line(i, 100'000));
  EXPECT_LT(std::filesystem::file_size(file), 1'200'000U);
}

TEST_F(SpoolTest, TakesLinesOfManyThreadsWhileTheyAreRead) {
  constexpr int kEach = 2'000;
  options_.most_bytes = 1 << 20;
  open();
  std::vector<int> numbers;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) spool_->append(line(t * kEach + i));
      });
    }
    while (numbers.size() < 1'000) std::ranges::copy(drain(), std::back_inserter(numbers));
  }
  spool_->flush();
  std::ranges::copy(drain(), std::back_inserter(numbers));
  std::ranges::sort(numbers);
  std::vector<int> all(4 * kEach);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(numbers, all);
}

}  // namespace
}  // namespace resmgr::sinks
