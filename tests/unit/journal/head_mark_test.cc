// What tells a journal from a copy of before.

#include "agent/journal/head_mark.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

class HeadMarkTest : public JournalTest {
 protected:
  void add_task() {
    TaskRow row = new_row();
    admit(journal(), row);
  }
  // As an agent does that starts.
  bool was_whole() {
    HeadMark mark(file_, journal());
    const bool whole = mark.was_whole();
    mark.follow();
    return whole;
  }
  // As one that runs until it is killed.
  void live() {
    HeadMark mark(file_, journal());
    mark.follow();
    add_task();
    add_task();
  }

  const std::string file_ = dir() / "journal.mark";
};

TEST_F(HeadMarkTest, WithoutAMarkNothingIsKnown) { EXPECT_FALSE(was_whole()); }

TEST_F(HeadMarkTest, TheSameJournalGoesOn) {
  live();
  reopen();
  EXPECT_TRUE(was_whole());
  EXPECT_TRUE(was_whole());
}

TEST_F(HeadMarkTest, AJournalThatCameFartherWithoutAMarkIsWhole) {
  live();
  add_task();
  EXPECT_TRUE(was_whole());
}

TEST_F(HeadMarkTest, OneOfBeforeIsNot) {
  live();
  std::ofstream(file_) << journal().id() << ' ' << journal().head() + 1 << '\n';
  EXPECT_FALSE(was_whole());
  EXPECT_TRUE(was_whole()) << "once it was seen";
}

TEST_F(HeadMarkTest, AnotherJournalIsNot) {
  live();
  journal().renew_id();
  EXPECT_FALSE(was_whole());
}

TEST_F(HeadMarkTest, AnIdThatIsRenewedMeanwhileIsWrittenDown) {
  {
    HeadMark mark(file_, journal());
    mark.follow();
    journal().renew_id();
    add_task();
  }
  EXPECT_TRUE(was_whole());
}

TEST_F(HeadMarkTest, WhatIsNoMarkIsOfNoJournal) {
  std::ofstream(file_) << "garbage";
  EXPECT_FALSE(was_whole());
}

TEST_F(HeadMarkTest, WhereItCantBeWrittenThereIsNone) {
  live();
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);
  EXPECT_FALSE(was_whole());
}

}  // namespace
}  // namespace resmgr::journal
