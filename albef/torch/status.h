// status runs f and keeps the message of what it throws for vt_error.
#pragma once
#include <c10/util/Exception.h>

#include <exception>

#include "native.h"

// count_optimised says that an optimiser has moved parameters, of which linear.cpp may
// keep a form of its own.
void count_optimised();

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
  } catch (...) {
    vt_fail("unknown C++ exception");
  }
  return 1;
}

}  // namespace
