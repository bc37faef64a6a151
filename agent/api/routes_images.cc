// /api/images: what the catalog's services are made from, for admins.
#include <algorithm>

#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/tasks/images.h"
#include "agent/tasks/refusals.h"
#include "common/error.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

Json image_to_json(const tasks::ImageState& image) {
  Json json = {{"image", image.image},
               {"services", image.services},
               {"build", text_or_null(image.build)},
               {"present", image.present},
               {"pulling", image.pulling},
               {"pull", nullptr},
               {"lastError", text_or_null(image.last_error)}};
  if (image.pull) {
    json["pull"] = {{"doneBytes", image.pull->done_bytes},
                    {"totalBytes", nullptr},
                    {"status", image.pull->status}};
    if (image.pull->total_bytes) json["pull"]["totalBytes"] = *image.pull->total_bytes;
  }
  return json;
}

Response list_images(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  Json list = Json::array();
  for (const auto& image : context.parts.tasks.images()) list.push_back(image_to_json(image));
  return json_response(200, dump_json(list));
}

// {"serviceType": …}, and nothing else.
std::string service_in(const Request& request) {
  const Json body = parse_json(request.body, "request body", DuplicateKeys::refuse);
  Error error(ErrorKind::usage, "cannot pull an image: the request body is wrong");
  const auto refuse = [&](std::string pointer, std::string detail) {
    error.fields.push_back({std::move(pointer), std::move(detail)});
  };
  if (!body.is_object()) {
    refuse("", "must be an object");
    throw error;
  }
  for (const auto& [name, value] : body.items()) {
    if (name != "serviceType") refuse("/" + name, "is not known here");
  }
  const auto service = body.find("serviceType");
  if (service == body.end() || !service->is_string()) refuse("/serviceType", "must be text");
  if (!error.fields.empty()) throw error;
  return service->get<std::string>();
}

Response pull_image(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  const std::string service = service_in(request);
  context.parts.tasks.pull_image(service);
  log::info("{Caller} asked for the image of {Service}",
            {{"Caller", request.caller->user_id}, {"Service", service}});
  for (const auto& image : context.parts.tasks.images()) {
    const auto& names = image.services;
    if (std::find(names.begin(), names.end(), service) == names.end()) continue;
    return json_response(202, dump_json(image_to_json(image)));
  }
  throw Error(ErrorKind::not_found, "cannot pull the image of '" + service + "': it is gone");
}

}  // namespace

void add_image_routes(Router& router, const Context& context) {
  RouteContext* const raw = context.get();
  router.add({.method = Method::get,
              .pattern = wire::kImages,
              .access = Access::admin,
              .runs = Runs::on_worker,
              .handler = [raw](const Responder& responder) {
                return list_images(*raw, responder.request());
              }});
  router.add({.method = Method::post,
              .pattern = wire::kPullImage,
              .access = Access::admin,
              .runs = Runs::on_worker,
              .takes_body = true,
              .handler = [raw](const Responder& responder) {
                return pull_image(*raw, responder.request());
              }});
}

}  // namespace resmgr::api
