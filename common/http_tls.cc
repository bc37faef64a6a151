#include "common/http_tls.h"

#include <array>
#include <ctime>
#include <memory>

namespace resmgr {
namespace {

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return "an unknown time";
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  const bool is_v4 = ASN1_STRING_length(address) == 4;
  if (!is_v4 && ASN1_STRING_length(address) != 16) return "an unknown address";
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text.data(), text.size());
  return text.data();
}

// What the peer sent is shown to people: nothing but printable characters, and not without end.
std::string clean(std::string text) {
  constexpr std::size_t kMost = 200;
  for (char& c : text) {
    if (c <= 0x20 || c >= 0x7f) c = '?';
  }
  if (text.size() > kMost) text = text.substr(0, kMost) + "…";
  return text;
}

// The names that the certificate is for: "a.example, b.example".
std::string names_of(X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  constexpr int kMost = 5;
  std::string text;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && i < kMost; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    std::string one;
    if (name->type == GEN_DNS) {
      one.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                 static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      one = address_text(name->d.iPAddress);
    } else {
      continue;
    }
    text += (text.empty() ? "" : ", ") + clean(std::move(one));
  }
  return text;
}

TlsFailure wrong_host(X509* certificate, const std::string& host) {
  const std::string names = certificate == nullptr ? "" : names_of(certificate);
  TlsFailure failure;
  failure.cause = "the certificate is not for host '" + host + "'";
  if (!names.empty()) failure.cause += ", but for " + names;
  failure.hint = names.empty() ? "have a certificate made for that host"
                               : "write a name that the certificate is for into the URL, or have "
                                 "a certificate made for this one";
  return failure;
}

TlsFailure expired(const X509* certificate) {
  const ASN1_TIME* const end = certificate == nullptr ? nullptr : X509_get0_notAfter(certificate);
  // Else it is good, and one of those that it rests on is not.
  const bool itself = end == nullptr || X509_cmp_current_time(end) < 0;
  return {itself ? "the certificate expired at " + time_text(end)
                 : "a certificate of the authority behind its own expired",
          "renew it on that server; or set this host's clock, if that is wrong"};
}

TlsFailure not_trusted(X509* certificate, long result, const std::string& ca_file) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return expired(certificate);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {"the certificate is not valid before " +
                  time_text(certificate == nullptr ? nullptr : X509_get0_notBefore(certificate)),
              "set this host's clock, if that is wrong"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // another authority of the same name
      break;
    default:
      return {
          std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(result),
          "have that server's certificate repaired"};
  }
  TlsFailure failure;
  failure.cause =
      std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(result);
  failure.hint = ca_file.empty()
                     ? "name the certificate of its authority (PEM) in the ca_file that stands "
                       "beside the URL"
                     : "the ca_file '" + ca_file + "' does not hold its authority: exchange one";
  return failure;
}

}  // namespace

std::optional<TlsFailure> tls_failure(const HttpConnection& connection, httplib::Error error,
                                      const HttpUrl& url, const std::string& ca_file) {
  if (error == httplib::Error::SSLConnection) {
    return TlsFailure{"the TLS handshake failed", "see whether TLS is spoken on that port"};
  }
  if (error == httplib::Error::SSLLoadingCerts) {
    if (ca_file.empty()) {
      return TlsFailure{"the system's CA certificates can't be read",
                        "install ca-certificates, or name a ca_file beside the URL"};
    }
    return TlsFailure{"the CA file can't be read: " + ca_file,
                      "name a file of CA certificates in PEM"};
  }
  // Version 0.18 has an error of its own for a wrong host, which 0.11 can't name.
  if (error != httplib::Error::SSLServerVerification &&
      httplib::to_string(error).find("verification") == std::string::npos) {
    return std::nullopt;
  }
  X509* const certificate = connection.peer_certificate();
  const long result = connection.verify_result();
  if (result == X509_V_OK) return wrong_host(certificate, url.host);
  return not_trusted(certificate, result, ca_file);
}

}  // namespace resmgr
