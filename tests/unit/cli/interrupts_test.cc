#include "cli/interrupts.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "cli/exit_code.h"

namespace resmgr::cli {
namespace {

TEST(InterruptsTest, WaitsForTheTime) {
  const auto interrupts = catch_signals();
  EXPECT_FALSE(interrupts->wait_for(Millis{0}));
  EXPECT_FALSE(interrupts->wait_for(Millis{5}));
}

TEST(InterruptsTest, TheFirstOneIsReported) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const auto interrupts = catch_signals();
    raise(number);
    EXPECT_TRUE(interrupts->wait_for(Millis{60'000}));
    EXPECT_TRUE(interrupts->wait_for(Millis{60'000})) << "and stays so";
  }
}

TEST(InterruptsTest, ASleepingWaitIsWoken) {
  const auto interrupts = catch_signals();
  std::jthread other([] { kill(getpid(), SIGINT); });
  EXPECT_TRUE(interrupts->wait_for(Millis{60'000}));
}

TEST(InterruptsTest, TheOldHandlingComesBack) {
  struct sigaction before {};
  sigaction(SIGINT, nullptr, &before);
  { const auto interrupts = catch_signals(); }
  struct sigaction after {};
  sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

TEST(InterruptsTest, WhatWasIgnoredStaysIgnored) {
  const auto previous = signal(SIGHUP, SIG_IGN);
  {
    const auto interrupts = catch_signals();
    raise(SIGHUP);
    EXPECT_FALSE(interrupts->wait_for(Millis{0}));
  }
  signal(SIGHUP, previous);
}

TEST(InterruptsDeathTest, TheSecondOneEndsAtOnceWithTheLastWords) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const auto interrupts = catch_signals();
        interrupts->set_last_words("earlier words\n");
        interrupts->set_last_words("resmgr: task 0193 may still run\n");
        raise(SIGINT);
        raise(SIGINT);
        _exit(0);
      },
      ::testing::ExitedWithCode(kInterrupted), "^resmgr: task 0193 may still run\n$");
}

}  // namespace
}  // namespace resmgr::cli
