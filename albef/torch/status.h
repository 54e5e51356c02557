// status runs f and keeps the message of what it throws for vt_error.
#pragma once
#include <c10/util/Exception.h>

#include <exception>

#include "native.h"

namespace {

template <class F>
int status(F f) noexcept {
  try {
    f();
    return 0;
  } catch (const c10::Error& e) {
    vt_fail(e.what_without_backtrace());
  } catch (const std::exception& e) {
    vt_fail(e.what());
  }
  return 1;
}

}  // namespace
