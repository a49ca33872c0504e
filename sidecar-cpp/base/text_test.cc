#include "base/text.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(IsUtf8, TakesWellFormedText) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("lif1.w_rec"));
  EXPECT_TRUE(IsUtf8("\xC3\xA9\xE2\x82\xAC\xF0\x9F\xA7\xA0"));
}

TEST(IsUtf8, RefusesStrayOverlongSurrogateAndCutBytes) {
  for (const char* text :
       {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "a\xFF"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

TEST(Printable, ReplacesUnprintableBytes) { EXPECT_EQ(Printable("a\nb\xFF\x7F\xC3\xA9"), "a?b??\xC3\xA9"); }

TEST(Printable, CutsLongText) { EXPECT_EQ(Printable(std::string(1000, 'x')), std::string(200, 'x') + "..."); }

}  // namespace
}  // namespace tandem
