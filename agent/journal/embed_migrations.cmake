# cmake -DOUTPUT=file.cc -DMIGRATIONS=a.sql;b.sql -P embed_migrations.cmake
#
# Writes a source file with the text of each migration. They are named NNNN_what_it_does.sql and
# numbered from 0001 without a gap: the number is the schema's version after it.

include("${CMAKE_CURRENT_LIST_DIR}/../../packaging/cmake/RawLiteral.cmake")

list(SORT MIGRATIONS)
set(expected 1)
set(entries "")
foreach(file IN LISTS MIGRATIONS)
  get_filename_component(name "${file}" NAME_WE)
  string(REGEX MATCH "^[0-9][0-9][0-9][0-9]_" number "${name}")
  string(REGEX REPLACE "^0*([0-9]*)_$" "\\1" number "${number}")
  if(NOT number STREQUAL expected)
    message(FATAL_ERROR "migration '${name}' should have number ${expected}")
  endif()
  math(EXPR expected "${expected} + 1")
  resmgr_raw_literal(literal "${file}")
  string(APPEND entries "    {${number}, \"${name}\", ${literal}},\n")
endforeach()

file(WRITE "${OUTPUT}"
"// Made from migrations/*.sql.
#include \"agent/journal/migrate.h\"

namespace resmgr::journal {
namespace {

constexpr Migration kMigrations[] = {
${entries}};

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

}  // namespace resmgr::journal
")
