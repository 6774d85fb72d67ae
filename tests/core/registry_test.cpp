#include "core/registry.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace icb {
namespace {

struct Toy {
  static constexpr const char* kind = "toy";
  std::string name;
  int value;
};

struct Empty {
  static constexpr const char* kind = "void";
  std::string name;
};

const Register<Toy> zebra{{"zebra", 3}};
const Register<Toy> ant{{"ant", 1}};
const Register<Toy> cat{{"cat", 2}};

TEST(Registry, IsSortedByName) {
  std::string names;
  for (const auto& [name, toy] : registry<Toy>()) {
    EXPECT_EQ(name, toy.name);
    names += name + " ";
  }
  EXPECT_EQ(names, "ant cat zebra ");
}

TEST(Registry, FindsByName) {
  EXPECT_EQ(find<Toy>("cat").value, 2);
  EXPECT_EQ(find<Toy>("zebra").value, 3);
}

TEST(Registry, AnUnknownNameListsTheKnownOnes) {
  for (const char* name : {"dog", "", "Cat", "cat "}) {
    try {
      find<Toy>(name);
      ADD_FAILURE() << "found " << name;
    } catch (const UsageError& error) {
      EXPECT_EQ(std::string(error.what()),
                "unknown toy \"" + std::string(name) + "\"; expected one of: ant, cat, zebra");
    }
  }
  EXPECT_THROW(find<Empty>("x"), UsageError);
}

TEST(Registry, ASecondEntryOfAnyNameIsRefused) {
  try {
    const Register<Toy> again{{"cat", 9}};
    ADD_FAILURE() << "registered twice";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("toy \"cat\""), std::string::npos) << error.what();
  }
  EXPECT_EQ(registry<Toy>().size(), 3U);
  EXPECT_EQ(find<Toy>("cat").value, 2);
}

TEST(Registry, KindsAreApart) { EXPECT_TRUE(registry<Empty>().empty()); }

}  // namespace
}  // namespace icb
