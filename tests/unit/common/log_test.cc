#include "common/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <limits>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "common/error.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::log {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// What `write` puts on standard error.
std::string printed(const std::function<void()>& write) {
  testing::internal::CaptureStderr();
  write();
  return testing::internal::GetCapturedStderr();
}

class LogTest : public testing::Test {
 protected:
  void TearDown() override { configure(Level::warning, Format::text); }
};

TEST(LogRender, PutsPropertiesIn) {
  EXPECT_EQ(render("Task {TaskId} started in {Millis} ms", {{"TaskId", "abc"}, {"Millis", 215}}),
            "Task abc started in 215 ms");
  EXPECT_EQ(render("{A}{B}{C}", {{"A", true}, {"B", 1.5}, {"C", std::string("x")}}), "true1.5x");
  EXPECT_EQ(render("{A}", {{"A", std::numeric_limits<std::int64_t>::min()}}),
            "-9223372036854775808");
}

TEST(LogRender, FollowsTheSyntaxOfMessageTemplates) {
  EXPECT_EQ(render("{{A}} {A}", {{"A", 1}}), "{A} 1");
  EXPECT_EQ(render("{@A} {$A} {A:000} {A,5} {A,-5:x}", {{"A", 1}}), "1 1 1 1 1");
  EXPECT_EQ(render("{A} {B}", {{"A", 1}}), "1 {B}");
  EXPECT_EQ(render("{A", {{"A", 1}}), "{A");
  EXPECT_EQ(render("A} {", {{"A", 1}}), "A} {");
  EXPECT_EQ(render("", {}), "");
}

TEST(LogRender, DoesNotReadValuesAsTemplates) {
  EXPECT_EQ(render("{A} {B}", {{"A", "{B}"}, {"B", "x"}}), "{B} x");
}

TEST_F(LogTest, WritesOneJsonObjectALine) {
  configure(Level::debug, Format::json);
  const std::string out = printed([] {
    warning("Task {TaskId} took {Millis} ms",
            {{"TaskId", "abc"}, {"Millis", 215}, {"Ok", true}, {"Cores", 0.5}});
  });
  ASSERT_TRUE(out.ends_with("}\n"));
  EXPECT_THAT(out, testing::StartsWith("{\"time\":"));
  Json entry = parse_json(out, "log line");
  EXPECT_TRUE(parse_rfc3339(entry["time"].get<std::string>()).has_value());
  entry.erase("time");
  EXPECT_EQ(entry, Json::parse(R"({"level": "warning", "message": "Task abc took 215 ms",
      "template": "Task {TaskId} took {Millis} ms", "TaskId": "abc", "Millis": 215, "Ok": true,
      "Cores": 0.5})"));
}

TEST_F(LogTest, KeepsALineWhateverAValueHolds) {
  const auto write = [] {
    error("Bad {Value}", {{"Value", "a\nb\"\x1b[31m\xff"}, {"message", "forged"}});
  };
  configure(Level::debug, Format::json);
  const std::string json = printed(write);
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), 1);
  const Json entry = parse_json(json, "log line", DuplicateKeys::refuse);
  EXPECT_EQ(entry["Value"], "a\nb\"\x1b[31m\xef\xbf\xbd");
  EXPECT_EQ(entry["message_"], "forged");

  configure(Level::debug, Format::text);
  const std::string text = printed(write);
  EXPECT_THAT(text, HasSubstr(" ERR Bad a\\nb\"\\x1b[31m"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST_F(LogTest, WritesTextForPeople) {
  configure(Level::verbose, Format::text);
  EXPECT_THAT(printed([] {
                info("Ready on {Address}", {{"Address", "127.0.0.1:7070"}});
              }),
              MatchesRegex("....-..-..T..:..:..\\....Z INF Ready on 127.0.0.1:7070\n"));
  EXPECT_THAT(printed([] { write(Level::verbose, "v"); }), HasSubstr(" VRB v\n"));
  EXPECT_THAT(printed([] { debug("d"); }), HasSubstr(" DBG d\n"));
  EXPECT_THAT(printed([] { warning("w"); }), HasSubstr(" WRN w\n"));
  EXPECT_THAT(printed([] { write(Level::fatal, "f"); }), HasSubstr(" FTL f\n"));
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
  configure(Level::warning, Format::text);
  EXPECT_EQ(printed([] { info("no"); }), "");
  EXPECT_NE(printed([] { warning("yes"); }), "");
  set_level(Level::debug);
  EXPECT_NE(printed([] { debug("yes"); }), "");
  set_level(Level::fatal);
  EXPECT_EQ(printed([] { error("no"); }), "");
}

TEST(LogBeforeItIsConfigured, PrintsWarningsAsText) {
  // In a process of its own: other tests have configured this one.
  const auto log_and_end = [] {
    info("quiet");
    warning("Disk {Disk} is full", {{"Disk", "sda"}});
    std::_Exit(0);
  };
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(log_and_end(), testing::ExitedWithCode(0),
              AllOf(HasSubstr("Z WRN Disk sda is full\n"), Not(HasSubstr("quiet"))));
}

TEST_F(LogTest, IsJsonWhenItIsNoTerminal) {
  const std::string out = printed([] {
    configure(Level::debug, Format::automatic);
    info("x");
  });
  EXPECT_EQ(parse_json(out, "log line")["message"], "x");
}

TEST_F(LogTest, GivesPrioritiesToTheJournalOfSystemd) {
  const std::string out = printed([] {
    struct stat status {};
    ASSERT_EQ(fstat(STDERR_FILENO, &status), 0);
    const std::string stream = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    setenv("JOURNAL_STREAM", stream.c_str(), 1);
    configure(Level::debug, Format::automatic);
    unsetenv("JOURNAL_STREAM");
    info("x");
    error("y");
  });
  EXPECT_THAT(out, MatchesRegex("<6>.* INF x\n<3>.* ERR y\n"));
}

TEST_F(LogTest, IsNoJournalWhenTheVariableNamesAnotherStream) {
  const std::string out = printed([] {
    setenv("JOURNAL_STREAM", "1:1", 1);
    configure(Level::debug, Format::automatic);
    unsetenv("JOURNAL_STREAM");
    info("x");
  });
  EXPECT_EQ(parse_json(out, "log line")["message"], "x");
}

TEST_F(LogTest, KeepsLinesOfManyThreadsWhole) {
  constexpr int kThreads = 8;
  constexpr int kEach = 200;
  configure(Level::debug, Format::json);
  const std::string out = printed([] {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < kEach; ++i) {
          info("{Thread} {Index} {Filler}",
               {{"Thread", t}, {"Index", i}, {"Filler", std::string(300, 'x')}});
        }
      });
    }
  });
  std::istringstream lines(out);
  std::vector<int> next(kThreads);
  for (std::string line; std::getline(lines, line);) {
    const Json entry = parse_json(line, "log line");
    const auto thread = static_cast<std::size_t>(integer_or(entry, "Thread", -1));
    ASSERT_LT(thread, next.size());
    EXPECT_EQ(entry["Index"], next[thread]++);
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kEach));
}

struct Kept final : Collector {
  ~Kept() override { set_collector(nullptr); }
  void collect(const Entry& entry) noexcept override {
    const std::lock_guard lock(mutex);
    lines.push_back(render(entry.message_template, entry.fields));
  }
  std::mutex mutex;
  std::vector<std::string> lines;
};

TEST_F(LogTest, HasACollectorWithALevelOfItsOwn) {
  configure(Level::warning, Format::text);
  Kept kept;
  EXPECT_FALSE(enabled(Level::information));
  set_collector(&kept, Level::information);
  EXPECT_TRUE(enabled(Level::information));
  EXPECT_FALSE(enabled(Level::debug));
  EXPECT_EQ(printed([] {
              debug("no");
              info("Task {TaskId}", {{"TaskId", 1}});
            }),
            "");
  EXPECT_THAT(printed([] { warning("both"); }), HasSubstr("both"));
  EXPECT_EQ(kept.lines, (std::vector<std::string>{"Task 1", "both"}));
  set_collector(nullptr);
  EXPECT_FALSE(enabled(Level::information));
  printed([] { warning("late"); });
  EXPECT_EQ(kept.lines.size(), 2U);
}

TEST_F(LogTest, AnEntryMayBeForOneReaderAlone) {
  configure(Level::information, Format::text);
  Kept kept;
  set_collector(&kept);
  EXPECT_EQ(printed([] { write(Level::error, "aside", {}, Readers::collector); }), "");
  EXPECT_THAT(printed([] { write(Level::error, "here", {}, Readers::standard_error); }),
              HasSubstr("here"));
  EXPECT_EQ(kept.lines, std::vector<std::string>{"aside"});
}

TEST_F(LogTest, ACollectorThatWasTakenAwayIsNotCalledAnyMore) {
  configure(Level::fatal, Format::text);
  std::atomic<bool> done = false;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (!done) info("x");
    });
  }
  for (int i = 0; i < 200; ++i) {
    Kept kept;  // its end is seen by the sanitizers, were it still used
    set_collector(&kept);
    std::this_thread::yield();
    set_collector(nullptr);
    const std::size_t count = kept.lines.size();
    std::this_thread::yield();
    ASSERT_EQ(kept.lines.size(), count);
  }
  done = true;
}

TEST(LogLevel, HasSeveralNames) {
  EXPECT_EQ(level_from("Information"), Level::information);
  EXPECT_EQ(level_from("INFO"), Level::information);
  EXPECT_EQ(level_from("warn"), Level::warning);
  EXPECT_EQ(level_from("trace"), Level::verbose);
  EXPECT_EQ(level_from("fatal"), Level::fatal);
  for (const char* const wrong : {"", "loud", "information "}) {
    try {
      level_from(wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::config);
      EXPECT_THAT(e.hint(), AllOf(HasSubstr("debug"), Not(HasSubstr("\n"))));
    }
  }
}

}  // namespace
}  // namespace resmgr::log
