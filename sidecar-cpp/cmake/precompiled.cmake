# Headers that many files include, compiled once: gRPC's alone take a compiler two seconds a file.
#
# tandem_precompile(<target>): all that has no gRPC in it shares one; tandem_precompile(<target> <headers>…): its own. GCC
# checks that a file's options fit; -O levels may differ. Clang wants equal definitions, too, which these targets do not have.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
elseif(CMAKE_CXX_COMPILER_LAUNCHER MATCHES ccache)
  add_compile_options(-fpch-preprocess) # else ccache keeps nothing that uses one (and it wants CCACHE_SLOPPINESS=pch_defines)
endif()
set(TANDEM_STANDARD_HEADERS <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <cstring> <functional>
    <limits> <map> <memory> <mutex> <optional> <span> <stop_token> <string> <string_view> <thread> <unordered_map>
    <utility> <variant> <vector>)

function(tandem_precompile target)
  if(ARGN)
    target_precompile_headers(${target} PRIVATE ${TANDEM_STANDARD_HEADERS} ${ARGN})
  elseif(target STREQUAL tandem_base)
    target_precompile_headers(${target} PRIVATE ${TANDEM_STANDARD_HEADERS})
  else()
    target_precompile_headers(${target} REUSE_FROM tandem_base)
  endif()
endfunction()

# tandem_quick_to_compile(<file>…): what runs once a process, or only carries other bytes, is not worth an optimizer's time.
function(tandem_quick_to_compile)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O1>)
endfunction()
