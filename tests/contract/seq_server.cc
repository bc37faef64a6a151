#include "tests/contract/seq_server.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>

#include "common/error.h"
#include "common/time_format.h"

namespace resmgr::support {
namespace {

constexpr std::size_t kMostEventBytes = 262'144;
constexpr std::size_t kMostRequestBytes = 10'000'000;
constexpr std::array<std::string_view, 6> kLevels = {"Verbose", "Debug", "Information",
                                                     "Warning", "Error", "Fatal"};

struct BadLine {
  int status;
  std::string fault;
};

std::size_t formatted_tokens(const std::string& message_template) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < message_template.size(); ++i) {
    if (message_template[i] != '{') continue;
    const auto end = message_template.find('}', i);
    if (end == std::string::npos) break;
    if (message_template.substr(i, end - i).find(':') != std::string::npos) ++count;
    i = end;
  }
  return count;
}

void require(bool holds, const char* fault) {
  if (!holds) throw BadLine{400, fault};
}

void check_member(const std::string& name, const Json& value, const Json& event) {
  if (!name.starts_with('@') || name.starts_with("@@")) return;
  if (name == "@t" || name == "@mt" || name == "@m" || name == "@x") {
    require(value.is_string(), "a text is none");
  } else if (name == "@l") {
    const bool known =
        value.is_string() && std::ranges::find(kLevels, value.get<std::string>()) != kLevels.end();
    require(known, "there is no such level");
  } else if (name == "@i") {
    require(value.is_string() || value.is_number_unsigned(), "@i is neither text nor number");
  } else if (name == "@r") {
    require(value.is_array() && value.size() == formatted_tokens(string_or(event, "@mt")),
            "@r does not go with the template");
  } else {
    require(false, "a name begins with one @");
  }
}

Json read_line(const std::string& line) {
  if (line.size() > kMostEventBytes) throw BadLine{413, "an event is too large"};
  Json event;
  try {
    event = parse_json(line, "line", DuplicateKeys::refuse);
  } catch (const Error& error) {
    throw BadLine{400, error.message()};
  }
  require(event.is_object(), "a line is no object");
  require(event.contains("@t"), "@t is missing");
  require(event["@t"].is_string() && parse_rfc3339(event["@t"].get<std::string>()),
          "@t is no time");
  require(event.contains("@mt") || event.contains("@m"), "there is no message");
  for (const auto& [name, value] : event.items()) check_member(name, value, event);
  return event;
}

bool is_clef(const std::string& content_type) {
  return content_type == "application/vnd.serilog.clef" ||
         content_type == "application/vnd.serilog.clef; charset=utf-8";
}

std::vector<std::string> lines_of(const std::string& body) {
  std::vector<std::string> lines;
  std::istringstream in(body);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string answer_text(int status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Said\r\n" + headers +
         "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

std::string header_in(const std::string& head, const std::string& name) {
  std::istringstream in(head);
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    if (colon != name.size() || strncasecmp(line.c_str(), name.c_str(), colon) != 0) continue;
    std::string value = line.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    while (value.ends_with('\r') || value.ends_with(' ')) value.pop_back();
    return value;
  }
  return {};
}

SeqServer::SeqServer()
    : server_(std::make_unique<ScriptedServer>([this](Peer& peer, int) { serve(peer); })) {}

SeqServer::SeqServer(const std::string& certificate_file, const std::string& key_file)
    : server_(std::make_unique<ScriptedServer>(certificate_file, key_file,
                                               [this](Peer& peer, int) { serve(peer); })) {}

SeqServer::~SeqServer() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void SeqServer::serve(Peer& peer) {
  for (std::string request; !(request = peer.read_request()).empty();) {
    if (!answer(peer, request)) return peer.reset();
  }
}

bool SeqServer::answer(Peer& peer, const std::string& request) {
  const auto end = request.find("\r\n\r\n");
  const std::string head = request.substr(0, end + 2);
  const std::string body = request.substr(end + 4);
  Seen seen{head, lines_of(body).size(), body.size(), 0};
  const auto mishap = next_mishap();
  using Kind = SeqMishap::Kind;
  if (mishap && mishap->kind == Kind::refuse) {
    seen.status = mishap->status;
    take({.status = 0, .fault = {}, .events = {}}, seen);
    peer.write(answer_text(mishap->status, mishap->headers, mishap->body));
    return true;
  }
  if (mishap && mishap->kind == Kind::hang) {
    take({.status = 0, .fault = {}, .events = {}}, seen);
    wait_until_thawed();
    return false;
  }
  if (mishap && mishap->kind == Kind::cut) return false;
  Verdict verdict = judge(head, body);
  const bool cut = mishap && mishap->kind == Kind::take_and_cut;
  const int status = verdict.status;
  const std::string fault = verdict.fault;
  if (!cut) seen.status = status;
  take(std::move(verdict), seen);
  if (cut) return false;
  const std::lock_guard lock(mutex_);
  const Json level = minimum_level_.empty() ? Json() : Json(minimum_level_);
  const Json text = status == 201 ? Json{{"MinimumLevelAccepted", level}} : Json{{"Error", fault}};
  peer.write(answer_text(status, "", dump_json(text)));
  return true;
}

std::optional<SeqMishap> SeqServer::next_mishap() {
  const std::lock_guard lock(mutex_);
  if (mishaps_.empty()) return standing_mishap_;
  SeqMishap mishap = std::move(mishaps_.front());
  mishaps_.pop_front();
  return mishap;
}

SeqServer::Verdict SeqServer::judge(const std::string& head, const std::string& body) const {
  const std::string line = head.substr(0, head.find("\r\n"));
  const std::string target = line.substr(line.find(' ') + 1, line.rfind(' ') - line.find(' ') - 1);
  const std::string path = target.substr(0, target.find('?'));
  const auto refused = [](int status, std::string fault) {
    return Verdict{status, std::move(fault), {}};
  };
  if (path != "/ingest/clef" && path != "/api/events/raw") return refused(404, "no such page");
  if (!line.starts_with("POST ")) return refused(405, "it is no POST");
  const std::lock_guard lock(mutex_);
  const bool has_key =
      header_in(head, "X-Seq-ApiKey") == key_ || target == path + "?apiKey=" + key_;
  if (!key_.empty() && !has_key) return refused(401, "the API key is not known");
  if (!is_clef(header_in(head, "Content-Type"))) return refused(415, "it is no CLEF");
  if (body.size() > kMostRequestBytes) return refused(413, "the request is too large");
  Verdict verdict;
  try {
    for (const std::string& text : lines_of(body)) {
      Json event = read_line(text);
      require(!is_bad_ || !is_bad_(event), "a line is bad");
      verdict.events.push_back(std::move(event));
    }
  } catch (const BadLine& bad) {
    return refused(bad.status, bad.fault);
  }
  return verdict;
}

void SeqServer::take(Verdict verdict, Seen seen) {
  const std::lock_guard lock(mutex_);
  if (!verdict.fault.empty()) last_fault_ = verdict.fault;
  std::ranges::move(verdict.events, std::back_inserter(events_));
  seen_.push_back(std::move(seen));
}

void SeqServer::wait_until_thawed() {
  std::unique_lock lock(mutex_);
  const int before = thaws_;
  changed_.wait(lock, [&] { return ended_ || thaws_ != before; });
}

void SeqServer::befall(SeqMishap mishap) {
  const std::lock_guard lock(mutex_);
  mishaps_.push_back(std::move(mishap));
}

void SeqServer::befall_all(std::optional<SeqMishap> mishap) {
  const std::lock_guard lock(mutex_);
  standing_mishap_ = std::move(mishap);
}

void SeqServer::require_key(const std::string& key) {
  const std::lock_guard lock(mutex_);
  key_ = key;
}

void SeqServer::set_minimum_level(const std::string& level) {
  const std::lock_guard lock(mutex_);
  minimum_level_ = level;
}

void SeqServer::refuse(std::function<bool(const Json& event)> is_bad) {
  const std::lock_guard lock(mutex_);
  is_bad_ = std::move(is_bad);
}

void SeqServer::thaw() {
  const std::lock_guard lock(mutex_);
  ++thaws_;
  changed_.notify_all();
}

std::vector<Json> SeqServer::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::vector<SeqServer::Seen> SeqServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

std::size_t SeqServer::empty_posts() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      seen_, [](const Seen& seen) { return seen.lines == 0 && seen.status == 201; }));
}

std::string SeqServer::last_fault() const {
  const std::lock_guard lock(mutex_);
  return last_fault_;
}

}  // namespace resmgr::support
