#include "common/crypto.h"

#include <gtest/gtest.h>

#include "common/error.h"

namespace resmgr {
namespace {

TEST(Sha256, OfFips180Examples) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256("abc").size(), 32U);
  EXPECT_EQ(to_hex(sha256("abc")), sha256_hex("abc"));
}

TEST(HmacSha256, OfRfc4231) {
  const auto hmac = [](const std::string& key, const std::string& data) {
    return to_hex(hmac_sha256(key, data));
  };
  EXPECT_EQ(hmac(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  std::string counting;
  for (char c = 1; c <= 25; ++c) counting += c;
  EXPECT_EQ(hmac(counting, std::string(50, '\xcd')),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(
      hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hmac(std::string(131, '\xaa'),
                 "This is a test using a larger than block-size key and a larger than block-size "
                 "data. The key needs to be hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(HmacSha256, TakesAnEmptyKeyAndEmptyData) {
  EXPECT_EQ(to_hex(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hex, IsLowerCase) { EXPECT_EQ(to_hex({"\x00\x0f\xa0\xff", 4}), "000fa0ff"); }

TEST(EqualInConstantTime, ComparesContentsAndLengths) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time("abc", std::string_view("abc\0", 4)));
}

struct Rfc4648Vector {
  std::string_view bytes;
  std::string_view text;
};
constexpr Rfc4648Vector kRfc4648[] = {{"", ""},
                                      {"f", "Zg=="},
                                      {"fo", "Zm8="},
                                      {"foo", "Zm9v"},
                                      {"foob", "Zm9vYg=="},
                                      {"fooba", "Zm9vYmE="},
                                      {"foobar", "Zm9vYmFy"}};

TEST(Base64, OfRfc4648) {
  for (const auto& [bytes, text] : kRfc4648) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
  EXPECT_EQ(base64_encode("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(base64_decode("+//+"), "\xfb\xff\xfe");
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* const wrong : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "====", "Z===",
                                  "Zm9v\n", "Zm 9", "Zg==Zg==", "-__-", "Zm9v====", "Z=g="}) {
    EXPECT_EQ(base64_decode(wrong), std::nullopt) << wrong;
  }
}

TEST(Base64Url, OfRfc4648WithoutPadding) {
  for (const auto& [bytes, text] : kRfc4648) {
    const std::string_view unpadded = text.substr(0, text.find('='));
    EXPECT_EQ(base64url_encode(bytes), unpadded);
    EXPECT_EQ(base64url_decode(unpadded), bytes);
  }
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(base64url_decode("-__-"), "\xfb\xff\xfe");
}

TEST(Base64Url, RefusesWhatIsNotCanonical) {
  for (const char* const wrong :
       {"Zg==", "Zm8=", "Zh", "Zm9", "Z", "Zm9vY", "+//+", "Zm9v ", "Zm9v\n", "\xc3\xa9Zm"}) {
    EXPECT_EQ(base64url_decode(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(base64url_decode({"Zm9\0", 4}), std::nullopt);
}

TEST(Base64Url, BringsBackEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
}

TEST(UuidV5, OfRfc9562) {
  constexpr char kDns[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  EXPECT_EQ(uuid_v5(kDns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  EXPECT_EQ(uuid_v5("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "www.example.com"),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  EXPECT_NE(uuid_v5(kDns, ""), uuid_v5(kDns, "a"));
}

TEST(UuidV5, RefusesANamespaceThatIsNoUuid) {
  EXPECT_THROW(uuid_v5("6ba7b810", "www.example.com"), Error);
}

}  // namespace
}  // namespace resmgr
