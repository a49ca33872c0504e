# Cross-compiles for Debian's arm64 on another Debian machine: g++-aarch64-linux-gnu, the :arm64 libraries beside the
# machine's own, and the machine's own protoc.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
