#include "tests/integration/postgres_fixture.h"

#include <set>

#include "common/event.h"
#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::sinks {
namespace {

constexpr char kAda[] = "00000000-0000-4000-8000-0000000000ad";

std::string time_or_nothing(const std::optional<Instant>& time) {
  return time ? format_rfc3339(*time) : "";
}

}  // namespace

Host::Host(const std::string& url, std::string name, const std::string& schema) {
  options.url = url;
  options.schema = schema;
  options.agent_id = new_uuid_v4();
  options.host = std::move(name);
  pump_options = {.backoff_min = Millis{1}, .backoff_max = Millis{50}};
  open();
}

void Host::open() {
  pump.reset();
  journal.reset();
  journal = std::make_unique<journal::Journal>(journal::JournalOptions{dir.path() / "journal.db"});
  make_pump();
}

void Host::restart() { open(); }

void Host::connect_to(const std::string& url) {
  options.url = url;
  make_pump();
}

void Host::make_pump() {
  pump.reset();
  pump = std::make_unique<Pump>(pump_options, *journal, std::make_unique<PostgresSink>(options),
                                clock);
}

std::optional<Millis> Host::settle() {
  for (;;) {
    const auto wait = pump->step();
    if (wait != Millis{0}) return wait;
  }
}

bool Host::deliver_all() {
  return support::eventually([&] { return settle() == std::nullopt; });
}

journal::TaskRow Host::admit() {
  clock.advance(Millis{7});
  journal::TaskRow row;
  row.task.task_id = new_uuid_v7(clock.now());
  row.task.user_id = kAda;
  row.task.service_type = "hello \"quoted\", \\ and {braces}";
  row.task.host = options.host;
  row.task.created_at = clock.now();
  journal->transact([&](journal::Transaction& transaction) {
    transaction.insert(row);
    transaction.append(event_type::kStartRequested, row, clock.now(), "{}");
  });
  return row;
}

void Host::change(journal::TaskRow& row, std::string_view event_type) {
  clock.advance(Millis{11});
  journal->transact([&](journal::Transaction& transaction) {
    transaction.update(row);
    transaction.append(event_type, row, clock.now(), "{}");
  });
}

journal::TaskRow Host::run() {
  journal::TaskRow row = admit();
  row.task.container_id = "c0ffee";
  change(row, event_type::kCreated);
  row.task.container_port = 40'001;
  row.task.start_time = clock.now();
  change(row, event_type::kStarted);
  row.task.status = TaskStatus::running;
  change(row, event_type::kReady);
  return row;
}

void Host::end(journal::TaskRow& row) {
  row.task.status = TaskStatus::stopping;
  change(row, event_type::kStopRequested);
  row.task.status = TaskStatus::stopped;
  row.task.stop_time = *row.task.start_time + Millis{3'723'004};
  row.task.exit_code = 143;
  row.task.usage_hash = std::string(64, 'a');
  change(row, event_type::kEnded);
  change(row, event_type::kRemoved);
}

journal::TaskRow Host::fail() {
  journal::TaskRow row = admit();
  row.task.status = TaskStatus::error;
  row.task.status_reason = std::string("there is no such image\0 at all", 30);
  change(row, event_type::kFailed);
  return row;
}

void PostgresTest::SetUpTestSuite() { server_ = std::make_unique<support::PostgresServer>(); }

void PostgresTest::TearDownTestSuite() { server_.reset(); }

PostgresTest::PostgresTest() {
  static int count = 0;
  database_ = "test" + std::to_string(++count);
  server().query("CREATE DATABASE " + database_);
}

std::string PostgresTest::expected(const std::vector<Host*>& hosts) {
  std::set<std::string> lines;
  for (const Host* const host : hosts) {
    const auto rows = host->journal->reading(
        [](journal::Reader& reader) { return reader.tasks({}, 100'000, ""); });
    for (const auto& row : rows) {
      const Task& task = row.task;
      if (!task.start_time && is_active(task.status)) continue;
      const bool active = is_active(task.status);
      const auto duration = task.duration();
      lines.insert(task.task_id + "|" + task.user_id + "|" + task.service_type + "|" +
                   task.container_id + "|" +
                   (task.container_port == 0 ? "" : std::to_string(task.container_port)) + "|" +
                   time_or_nothing(task.start_time) + "|" + time_or_nothing(task.stop_time) + "|" +
                   (duration ? std::to_string(duration->count()) : "") + "|" +
                   (active ? "Running" : std::string(to_string(task.status))) + "|" +
                   std::string(to_string(task.status)) + "|" + host->options.host + "|" +
                   host->journal->id() + "\n");
    }
  }
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::string PostgresTest::found(const std::string& schema) const {
  const std::string time = R"('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')";
  return query("SELECT Id, UserId, ServiceType, ContainerId, Port, to_char(StartTime, " + time +
               "), to_char(StopTime, " + time +
               "), (extract(epoch FROM Duration) * 1000)::BIGINT, Status, Phase, Host, JournalId"
               " FROM " +
               schema + ".tasks ORDER BY Id::TEXT COLLATE \"C\"");
}

}  // namespace resmgr::sinks
