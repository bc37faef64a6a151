#include "cli/task_list.h"

#include <string>
#include <utility>

#include "cli/text.h"
#include "common/wire.h"

namespace resmgr::cli {

TaskList::TaskList(Session& session, Format format, bool ids_only, bool endless)
    : session_(session),
      format_(format),
      ids_only_(ids_only),
      endless_(endless),
      now_(session.surroundings().clock.now()) {
  if (format == Format::table && !ids_only) table_.emplace(task_table());
}

void TaskList::begin() {
  if (std::exchange(begun_, true) || ids_only_) return;
  if (format_ == Format::csv) session_.out().write(csv_line(task_column_names()));
  if (format_ == Format::json && !endless_) session_.out().write("[");
}

void TaskList::add(const Json& task) {
  TextStream& out = session_.out();
  if (format_ == Format::json && !ids_only_) {
    const bool follows = begun_ && !endless_;
    begin();
    out.write((follows ? ",\n" : "") + dump_json(task) + (endless_ ? "\n" : ""));
    return;
  }
  const Task shown = wire::task_from_json(task);
  begin();
  if (ids_only_) {
    out.write(printable(shown.task_id) + "\n");
  } else if (table_) {
    add_task_row(*table_, shown, user_text(task), now_);
  } else {
    const auto record = task_record(shown);
    out.write(format_ == Format::csv ? csv_line(record) : tsv_line(record));
  }
}

void TaskList::end(std::string_view if_empty) {
  TextStream& out = session_.out();
  begin();
  if (format_ == Format::json && !ids_only_ && !endless_) out.write("]\n");
  if (!table_) return;
  if (table_->empty()) {
    session_.err().write(std::string(if_empty) + "\n");
  } else {
    out.write(table_->render(out.width(), session_.surroundings().colourful(out)));
  }
}

}  // namespace resmgr::cli
