#include "agent/tasks/images.h"

#include <system_error>
#include <utility>

#include "common/error.h"

namespace resmgr::tasks {

std::vector<ImageState> Images::look(const catalog::Catalog& catalog) const {
  std::map<std::string, ImageState> images;
  for (const catalog::Service& service : catalog.services()) {
    ImageState& state = images[service.image];
    state.image = service.image;
    state.services.push_back(service.name);
    if (state.build.empty()) state.build = service.build;
  }
  std::vector<ImageState> found;
  for (auto& each : images) {
    const std::string& image = each.first;
    ImageState& state = each.second;
    // In this order: what is pulled is there once it is pulled no more.
    const Asked asked = asked_.with([&](const auto& all) {
      const auto its = all.find(image);
      return its == all.end() ? Asked{} : its->second;
    });
    state.pulling = asked.running;
    state.last_error = asked.error;
    state.pull = puller_.progress(image);
    state.present = engine_.image_id(image).has_value();
    found.push_back(std::move(state));
  }
  return found;
}

void Images::pull(const std::string& image) {
  const bool begin =
      asked_.with([&](auto& all) { return !std::exchange(all[image].running, true); });
  if (!begin) return;
  const auto end = [this, image](const std::string& error) {
    asked_.with([&](auto& all) { all[image] = {.running = false, .error = error}; });
  };
  try {
    puller_.pull(image,
                 [end](const std::optional<Error>& error) { end(error ? error->message() : ""); });
  } catch (const std::system_error& no_thread) {
    end(no_thread.what());
  }
}

}  // namespace resmgr::tasks
