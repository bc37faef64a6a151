#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/choices.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/flatten.h"
#include "cli/progress.h"
#include "cli/records.h"
#include "cli/text.h"

namespace resmgr::cli {
namespace {

constexpr Millis kBetweenLooks{250};

struct ImagesOptions {
  std::string action = "list";
  std::vector<std::string> services;
};

const std::vector<std::string> kImageColumns = {"image", "services", "state", "build", "lastError"};

std::string names_in(const Json& image) {
  std::string names;
  for (const Json& name : array_at(image, "services")) {
    names += (names.empty() ? "" : ",") + plain_text(name);
  }
  return names;
}

std::string state_of(const Json& image) {
  if (bool_or(image, "pulling", false)) return "pulling";
  return bool_or(image, "present", false) ? "present" : "missing";
}

std::vector<std::string> image_record(const Json& image) {
  return {string_or(image, "image"), names_in(image), state_of(image), string_or(image, "build"),
          string_or(image, "lastError")};
}

bool serves(const Json& image, const std::string& service) {
  const Json& names = array_at(image, "services");
  return std::find(names.begin(), names.end(), Json(service)) != names.end();
}

void print_image_table(Session& session, const Json& images) {
  if (images.empty()) {
    session.err().write("no images (the agent's catalog is empty)\n");
    return;
  }
  Table table({{"IMAGE", false, 16}, {"SERVICES", false, 8}, {"STATE"}, {"ERROR", false, 16}});
  for (const Json& image : images) {
    const auto record = image_record(image);
    const Style style = record[2] == "present" ? Style::good : Style::busy;
    table.add_row({{record[0]}, {record[1]}, {record[2], style}, {record[4], Style::bad}});
  }
  TextStream& out = session.out();
  out.write(table.render(out.width(), session.surroundings().colourful(out)));
}

void print_images(Session& session, const Json& images) {
  const Format format = session.format();
  TextStream& out = session.out();
  switch (format) {
    case Format::table:
      print_image_table(session, images);
      break;
    case Format::json:
      out.write(dump_json(images) + "\n");
      break;
    case Format::csv:
      out.write(csv_line(kImageColumns));
      for (const Json& image : images) out.write(csv_line(image_record(image)));
      break;
    case Format::tsv:
      for (const Json& image : images) out.write(tsv_line(image_record(image)));
      break;
  }
}

// Those that the services name; all of them where none is named. Throws Error(not_found).
Json images_of(const Json& images, const std::vector<std::string>& services) {
  if (services.empty()) return images;
  Json some = Json::array();
  for (const std::string& service : services) {
    const auto found = std::find_if(images.begin(), images.end(),
                                    [&](const Json& image) { return serves(image, service); });
    if (found == images.end()) {
      throw Error(ErrorKind::not_found, "cannot find service '" + service + "': there is none",
                  "resmgr services");
    }
    if (std::find(some.begin(), some.end(), *found) == some.end()) some.push_back(*found);
  }
  return some;
}

std::string first_service(const Json& image) { return plain_text(array_at(image, "services")[0]); }

int run_pull(Session& session, const ImagesOptions& options) {
  ApiClient& api = session.api();
  session.format();
  const Json wanted = images_of(api.images(), options.services);
  for (const Json& image : wanted) api.pull_image(first_service(image));
  ProgressLine progress(session.surroundings(), true);
  for (;;) {
    const Json now = images_of(api.images(), options.services);
    const auto pulled = std::find_if(
        now.begin(), now.end(), [](const Json& image) { return bool_or(image, "pulling", false); });
    if (pulled == now.end()) {
      progress.clear();
      print_images(session, now);
      const bool failed = std::any_of(now.begin(), now.end(), [](const Json& image) {
        return !string_or(image, "lastError").empty();
      });
      return failed ? kFailed : kDone;
    }
    progress.show(string_or(*pulled, "image") + ": " + pull_phase(object_at(*pulled, "pull")));
    session.surroundings().sleep(kBetweenLooks);
  }
}

int build_one(Session& session, const Json& image) {
  const std::string program = string_or(image, "build");
  const std::string name = string_or(image, "image");
  if (program.empty()) {
    throw Error(
        ErrorKind::not_found,
        "cannot build image '" + name + "': its service names no program that makes it",
        "resmgr images pull " + first_service(image) + ", or set 'build' in its definition");
  }
  session.err().write("building " + printable(name) + " with " + printable(program) + "\n");
  session.err().flush();
  const int code = session.surroundings().run_program(program);
  if (code == 0) return kDone;
  throw Error(ErrorKind::internal, "cannot build image '" + name + "': '" + program +
                                       "' ended with code " + std::to_string(code));
}

// The program runs here, with the caller's rights: what another host's agent names is not run.
int run_build(Session& session, const ImagesOptions& options) {
  if (!session.api().address().is_socket()) {
    throw Error(ErrorKind::usage, "cannot build an image through " + session.api().address().shown +
                                      ": that is done on the agent's host, over its socket");
  }
  for (const Json& image : images_of(session.api().images(), options.services)) {
    const bool needed = !options.services.empty() || !bool_or(image, "present", false);
    if (needed && (!options.services.empty() || !string_or(image, "build").empty())) {
      build_one(session, image);
    }
  }
  print_images(session, images_of(session.api().images(), options.services));
  return kDone;
}

int run_images(Session& session, const ImagesOptions& options) {
  if (options.action == "pull") return run_pull(session, options);
  if (options.action == "build") return run_build(session, options);
  print_images(session, images_of(session.api().images(), options.services));
  return kDone;
}

constexpr char kImagesFooter[] = R"(
  list   shows which images the catalog's services need, and whether they are
         there
  pull   gets them from their registries, also newer ones than are there, and
         waits; Ctrl-C ends the waiting and not the pull
  build  runs, on this host, the program that a service names for its image:
         of those named, else of those that are missing

Without a service all of the catalog are meant. For admins.

Columns of TSV and CSV: image services state build lastError.

Example:
  resmgr images pull jupyter
)";

}  // namespace

void add_images(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<ImagesOptions>();
  CLI::App* const images =
      root.add_subcommand("images", "List, pull or build the images of the services");
  images->add_option("ACTION", options->action, "list, pull or build")
      ->check(one_of({"list", "pull", "build"}));
  images->add_option("SERVICE", options->services, "Whose image is meant");
  images->footer(kImagesFooter);
  images->callback([&invocation, options] {
    invocation.run = [options](Session& session) { return run_images(session, *options); };
  });
}

}  // namespace resmgr::cli
