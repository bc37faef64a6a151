// Looks through a whole journal for whatever is wrong with it.
#ifndef RESMGR_AGENT_JOURNAL_CHECK_H_
#define RESMGR_AGENT_JOURNAL_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace resmgr::journal {

struct CheckReport {
  std::vector<std::string> faults;  // a sentence each; empty: it is good
  std::vector<std::string> notes;   // what was not looked at, and why
  std::string journal_id;
  int schema_version = 0;
  std::int64_t tasks = 0;
  std::int64_t events = 0;
  std::int64_t usage_records = 0;

  bool good() const { return faults.empty(); }
};

// Told now and then what is looked at; `of` is 0 where nobody knows.
using CheckProgress =
    std::function<void(std::string_view what, std::int64_t done, std::int64_t of)>;

// Its pages and indexes, its references, its schema's version, each row against the replay of the
// events that are kept, and each usage record against its hash. Only reads, in one view: an agent
// may use the journal meanwhile, whose log grows as long as this takes. Throws Error(unavailable)
// if the file can't be read; that it is damaged is no error here.
CheckReport check_journal(const std::string& file, const CheckProgress& progress = {});

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_CHECK_H_
