#include "agent/catalog/catalog.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "agent/catalog/service_reader.h"
#include "agent/catalog/spec_hash.h"
#include "agent/catalog/table_reader.h"
#include "common/error.h"

namespace resmgr::catalog {
namespace {

namespace fs = std::filesystem;

// A definition has a few hundred bytes; what is larger is something else.
constexpr std::size_t kMaxFileBytes = 1 << 20;

// One file's service (empty if it has faults), and what is to be said about the file.
struct Reading {
  std::optional<Service> service;
  std::vector<Fault> faults;
};

Reading read_text(std::string_view toml, const std::string& file) {
  FaultList faults(file);
  FaultList doubts(file);
  Reading reading;
  try {
    const toml::table document = toml::parse(toml, file);
    Service service = read_service(document, faults, doubts);
    service.file = file;
    if (faults.empty()) {
      service.spec_hash = spec_hash_of(service);
      reading.service = std::move(service);
    }
  } catch (const toml::parse_error& e) {
    faults.add(e.source(), std::string(e.description()));
  }
  // A file that is left out has faults enough.
  reading.faults = faults.empty() ? doubts.sorted() : faults.sorted();
  return reading;
}

Reading read_file(const fs::path& path) {
  const auto fault = [&](std::string what) { return Reading{std::nullopt, {{path, what}}}; };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fault("cannot be read: " + std::generic_category().message(errno));
  std::string text(kMaxFileBytes + 1, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof()) {
    return fault("cannot be read");
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) return fault("is larger than 1 MiB");
  return read_text(text, path);
}

// Its *.toml in order of names. Hidden files are an editor's.
std::vector<fs::path> files_in(const fs::path& folder, std::vector<Fault>& faults) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    std::error_code ignored;
    if (path.extension() == ".toml" && !path.filename().string().starts_with('.') &&
        !fs::is_directory(path, ignored)) {
      files.push_back(path);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    faults.push_back({folder, "cannot be read: " + error.message()});
  }
  std::sort(files.begin(), files.end());
  return files;
}

void add(Reading reading, std::vector<Service>& services, std::vector<Fault>& faults) {
  faults.insert(faults.end(), reading.faults.begin(), reading.faults.end());
  if (!reading.service) return;
  const auto same = std::find_if(services.begin(), services.end(), [&](const Service& other) {
    return other.name == reading.service->name;
  });
  if (same == services.end()) {
    services.push_back(*std::move(reading.service));
    return;
  }
  faults.push_back({reading.service->file,
                    "the service '" + same->name + "' is there already, from " + same->file});
}

void sort_by_name(std::vector<Service>& services) {
  std::sort(services.begin(), services.end(),
            [](const Service& a, const Service& b) { return a.name < b.name; });
}

}  // namespace

std::shared_ptr<const Catalog> Catalog::load(const std::vector<std::string>& folders,
                                             const Catalog* earlier) {
  auto catalog = std::make_shared<Catalog>();
  std::vector<fs::path> wrong;
  for (const std::string& folder : folders) {
    for (const fs::path& file : files_in(folder, catalog->faults_)) {
      Reading reading = read_file(file);
      if (!reading.service) wrong.push_back(file);
      add(std::move(reading), catalog->services_, catalog->faults_);
    }
  }
  if (earlier != nullptr) {
    for (const fs::path& file : wrong) catalog->keep(*earlier, file);
  }
  sort_by_name(catalog->services_);
  return catalog;
}

void Catalog::keep(const Catalog& earlier, const std::string& file) {
  const auto its = std::ranges::find(earlier.services_, file, &Service::file);
  if (its == earlier.services_.end()) return;
  // Its name may have moved to another file, which is right.
  if (std::ranges::find(services_, its->name, &Service::name) != services_.end()) return;
  services_.push_back(*its);
  faults_.push_back({file, "the service '" + its->name + "' stays as it was before"});
}

std::shared_ptr<const Catalog> Catalog::from_text(std::string_view toml,
                                                  const std::string& file_name) {
  auto catalog = std::make_shared<Catalog>();
  add(read_text(toml, file_name), catalog->services_, catalog->faults_);
  return catalog;
}

const Service* Catalog::find(std::string_view name) const {
  const auto found = std::lower_bound(
      services_.begin(), services_.end(), name,
      [](const Service& service, std::string_view wanted) { return service.name < wanted; });
  return found != services_.end() && found->name == name ? &*found : nullptr;
}

bool Service::knows_base_path() const {
  constexpr std::string_view kBasePath = "{basePath}";
  const auto holds = [&](const std::string& text) {
    return text.find(kBasePath) != std::string::npos;
  };
  return std::any_of(command.begin(), command.end(), holds) ||
         std::any_of(env.begin(), env.end(),
                     [&](const auto& variable) { return holds(variable.second); });
}

std::string expand(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find('{', at);
    const std::size_t close =
        open == std::string_view::npos ? std::string_view::npos : text.find('}', open);
    if (close == std::string_view::npos) return result.append(text.substr(at));
    const auto value = values.find(std::string(text.substr(open + 1, close - open - 1)));
    if (value == values.end()) {
      // Only the brace: another one may follow before the closing one.
      result.append(text.substr(at, open + 1 - at));
      at = open + 1;
    } else {
      result.append(text.substr(at, open - at)).append(value->second);
      at = close + 1;
    }
  }
  return result;
}

}  // namespace resmgr::catalog
