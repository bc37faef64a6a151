# Every library comes from Debian's packages; README's table says why each is there.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(Boost 1.74 REQUIRED)

# Its flags decide the layout of its classes: they must be those of the installed library.
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(libpqxx REQUIRED IMPORTED_TARGET libpqxx libpq)
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(simdjson REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd)

if(RESMGR_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
