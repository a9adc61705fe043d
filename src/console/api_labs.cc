#include "console/api_labs.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/number.h"
#include "console/lab_runner.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostAnswerBytes = 12;

struct LabAct {
  const char* name;  // Of the route and of the runner's command.
  const char* meaning;
  const char* done;  // For the change log, before "lab 4".
  bool destroys = false;
};
constexpr LabAct kActs[] = {
    {"start", "Starts a lab: its own topic, folder and tables", "started"},
    {"predict", "Answers the lab's question, before the first check", "predicted the result of"},
    {"check", "Checks the lab's state", "checked"},
    {"hint", "Gives the next of three hints", "took a hint for"},
    {"reset", "Starts over, with a new topic, folder and tables", "started over with", true},
    {"stop", "Deletes the lab's topic, groups, folder and own brokers; progress stays",
     "deleted the topic and folder of", true},
};

Status NoRunner() {
  return Status::Invalid("console.labs_command is empty: run labs in a terminal, with ./run lab");
}

// The lab of the route. Its digits are an argument of the runner, so they are nothing else.
Result<std::string> LabNumber(const ApiRequest& request) {
  const std::string& text = request.http.captures.at(0);
  const auto number = ParseWhole<int>(text);
  if (number && *number >= 1 && *number <= 99) return std::to_string(*number);
  return Status::Invalid("'", text, "' is not the number of a lab");
}

// Letters or digits, so that the runner cannot read it as an option.
Result<std::string> AnswerOf(const ApiRequest& request) {
  const auto found = request.body.find("answer");
  std::string answer;
  if (found != request.body.end()) {
    answer = found->is_string() ? found->get<std::string>() : DumpJson(*found);
  }
  const bool plain = std::ranges::all_of(answer, [](unsigned char c) { return std::isalnum(c); });
  if (!answer.empty() && answer.size() <= kMostAnswerBytes && plain) return answer;
  return Status::Invalid("\"answer\" is a letter or a whole number");
}

class LabsApi {
 public:
  explicit LabsApi(const World& world) : runner_(world.config.console.labs_command) {}

  Result<ordered_json> List() {
    return runner_.exists() ? Existing(runner_.Read({"list"})) : Missing();
  }
  Result<ordered_json> One(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const std::string number, LabNumber(request));
    return runner_.exists() ? Existing(runner_.Read({"show", number})) : Missing();
  }
  Result<ordered_json> State(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const std::string number, LabNumber(request));
    return runner_.exists() ? Existing(runner_.Look({"state", number})) : Missing();
  }
  Result<Receipt> Do(const ApiRequest& request, const LabAct& act);

 private:
  static Result<ordered_json> Existing(const Result<ordered_json>& found) {
    ARROW_RETURN_NOT_OK(found);
    ordered_json answer = {{"exists", true}};
    answer.update(*found);
    return answer;
  }
  static Result<ordered_json> Missing() {
    return ordered_json{{"exists", false},
                        {"reason",
                         "Labs run from a checkout, on its local cluster. Use them in a "
                         "terminal there, or name its runner in console.labs_command."},
                        {"remedy", "./run lab"}};
  }

  LabRunner runner_;
};

Result<Receipt> LabsApi::Do(const ApiRequest& request, const LabAct& act) {
  ARROW_ASSIGN_OR_RAISE(const std::string number, LabNumber(request));
  if (!runner_.exists()) return NoRunner();
  if (act.destroys) ARROW_RETURN_NOT_OK(CheckConfirmed(request, "lab " + number));
  std::vector<std::string> words = {act.name, number};
  if (std::string_view(act.name) == "predict") {
    ARROW_ASSIGN_OR_RAISE(std::string answer, AnswerOf(request));
    words.push_back(std::move(answer));
  }
  ARROW_ASSIGN_OR_RAISE(const ordered_json done, runner_.Act(words));
  Receipt receipt;
  receipt.what = std::string(act.done) + " lab " + number;
  receipt.subject = "lab " + number;
  receipt.before = nlohmann::json(done.value("before", ordered_json()));
  receipt.after = nlohmann::json(done.value("after", ordered_json()));
  receipt.answer = nlohmann::json(done.value("lab", ordered_json()));
  return receipt;
}

}  // namespace

std::vector<ApiRoute> LabRoutes(const World& world) {
  const auto api = std::make_shared<LabsApi>(world);
  std::vector<ApiRoute> routes = {
      {"GET", "/api/labs", "The labs with their progress",
       Read([api](const ApiRequest&) { return api->List(); })},
      {"GET", "/api/labs/*", "A lab's page, question and hints, and what its last check found",
       Read([api](const ApiRequest& request) { return api->One(request); })},
      {"GET", "/api/labs/*/state", "The lab's topics, groups and tables, as they are now",
       Read([api](const ApiRequest& request) { return api->State(request); })},
  };
  for (const LabAct& act : kActs) {
    routes.push_back(
        {"POST", std::string("/api/labs/*/") + act.name, act.meaning,
         Change([api, &act](const ApiRequest& request) { return api->Do(request, act); })});
  }
  return routes;
}

}  // namespace shopstream::console
