# resmgr_raw_literal(OUT FILE): sets OUT to a C++ raw string literal with the text of the file. For
# the scripts that embed files in a program.
function(resmgr_raw_literal out file)
  file(READ "${file}" text)
  if(text MATCHES "\\)text\"")
    message(FATAL_ERROR "'${file}' holds the end of a raw string literal")
  endif()
  set(${out} "R\"text(${text})text\"" PARENT_SCOPE)
endfunction()
