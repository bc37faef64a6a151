// What a call throws.
#ifndef RESMGR_TESTS_SUPPORT_THROWN_H_
#define RESMGR_TESTS_SUPPORT_THROWN_H_

#include <gtest/gtest.h>

#include <utility>

#include "common/error.h"

namespace resmgr::support {

// The Error that `act` throws; a failure of the test, and an internal one, if it throws none.
template <typename Act>
Error error_of(Act&& act) {
  try {
    std::forward<Act>(act)();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {ErrorKind::internal, "no error was thrown"};
}

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_THROWN_H_
