#include "loader/integer_field.h"

#include <string>

#include "base/text.h"
#include "loader/dataset.h"

namespace tandem {
namespace {

Error Bad(const std::string& what) { return {Code::kInvalidArgument, "MODEL_INVALID", what, {}}; }

Expected<Integers> ReadPadding(hid_t group, const IntegerSpec& spec) {
  const auto text = ReadString(group, std::string(spec.name));
  if (!text.ok()) return text.error();
  if (text.value() == "valid") return Integers(spec.count, 0);
  if (text.value() == "same") return Integers(spec.count, kSamePadding);
  return Bad("must be \"same\", \"valid\" or numbers, found \"" + Printable(text.value()) + "\"");
}

}  // namespace

Expected<Integers> ReadIntegerField(hid_t group, const IntegerSpec& spec) {
  const std::string name(spec.name);
  if (spec.may_be_same && IsText(group, name)) return ReadPadding(group, spec);
  auto values = ReadIntegers(group, name, kMaxRank);
  if (!values.ok()) return values.error();
  for (const std::int64_t value : values.value()) {
    if (value >= spec.min && value <= spec.max) continue;
    return Bad("must be " + std::to_string(spec.min) + " to " + std::to_string(spec.max) + ", found " +
               std::to_string(value));
  }
  if (spec.count == 0 || values.value().size() == spec.count) return values;
  if (values.value().size() == 1) return Integers(spec.count, values.value()[0]);
  return Bad("must have " + std::to_string(spec.count) + (spec.count == 1 ? " number" : " numbers, or one for all") +
             ", found " + std::to_string(values.value().size()));
}

}  // namespace tandem
