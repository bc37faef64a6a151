// Tasks and events as JSON text, written once and without a tree in between: what wire.h's
// task_to_json() and event_to_json() say, for answers that carry hundreds of them.
#ifndef RESMGR_AGENT_API_TASK_JSON_H_
#define RESMGR_AGENT_API_TASK_JSON_H_

#include <string>
#include <string_view>
#include <vector>

#include "agent/identity/user_profiles.h"
#include "agent/journal/activity.h"
#include "agent/journal/cursors.h"
#include "agent/tasks/start_progress.h"
#include "common/event.h"
#include "common/task.h"

namespace resmgr::api {

// A task object as lists have it. `user` (null: not known, or not for the caller) becomes the
// member `user: {email, fullName}`.
void append_task(std::string& out, const Task& task, const identity::UserProfile* user = nullptr);

// With `iframeUrl` (null if empty).
void append_task(std::string& out, const Task& task, std::string_view iframe_url);

// With `iframeUrl`, `usage` (null before the first sample), `idleUntil` and `lifetimeUntil` (null
// unless they were extended), `receipts` (usage_json.h) and `events`, as the single-task answer has
// it; `progress` (null: not known) becomes the member of that name.
void append_task(std::string& out, const Task& task, std::string_view iframe_url,
                 const journal::Activity& activity, const std::vector<Event>& events,
                 const std::vector<journal::Receipt>& receipts,
                 const identity::UserProfile* user = nullptr,
                 const tasks::StartProgress* progress = nullptr);

// A line of /api/events, without the newline.
void append_event(std::string& out, const Event& event);

// The same for a start that has come further: {type: "task.progress", time, taskId, task}, without
// a number, for it is in no journal.
void append_progress_message(std::string& out, Instant time, const Task& task,
                             const tasks::StartProgress& progress);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_TASK_JSON_H_
