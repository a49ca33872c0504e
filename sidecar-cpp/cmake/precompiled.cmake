# Headers that many files include, compiled once: gRPC's alone take a compiler two seconds a file.
#
# A target may use another's (REUSE_FROM) where no macro differs that the headers look at: GCC checks it. -O levels may differ.
# Clang wants all definitions equal, which they are not.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
elseif(CMAKE_CXX_COMPILER_LAUNCHER MATCHES ccache)
  add_compile_options(-fpch-preprocess) # else ccache keeps nothing that uses one (and it wants CCACHE_SLOPPINESS=pch_defines)
endif()
set(TANDEM_STANDARD_HEADERS <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <cstring> <functional>
    <limits> <map> <memory> <mutex> <optional> <span> <stop_token> <string> <string_view> <thread> <unordered_map>
    <utility> <variant> <vector>)

# tandem_quick_to_compile(<file>…): what runs once a process, or only carries other bytes, is not worth an optimizer's time.
function(tandem_quick_to_compile)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O1>)
endfunction()
