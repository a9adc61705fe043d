# Warnings are errors; ccache and mold are used if installed.
add_library(shopstream_warnings INTERFACE)
target_compile_options(shopstream_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                                                     -Werror
  # In a unity build no file is the main one, whose unnamed types GCC trusts to occur once.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wno-subobject-linkage>)

find_program(SHOPSTREAM_CCACHE ccache)
if(SHOPSTREAM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the checkout, so that its build folders and other checkouts share results.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1
                                  CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${SHOPSTREAM_CCACHE})
endif()

find_program(SHOPSTREAM_MOLD mold)
if(SHOPSTREAM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
