# One static library and one unit test program per folder of src/: x.cc belongs to the library,
# x_test.cc to the test program.
#
#   shopstream_library(lake DEPENDS shopstream::model)
#
# in src/lake gives the target shopstream::lake and the program lake_test, run by ctest. The target
# unit_tests builds all such programs; `all` excludes them, so that a release build has only the
# program and the drivers of tests/.
#
# TEST_DEPENDS: what only the test program links against.
add_custom_target(unit_tests)

function(shopstream_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;TEST_DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(NOT sources)
    add_library(shopstream_${name} INTERFACE)
    add_library(shopstream::${name} ALIAS shopstream_${name})
    target_link_libraries(shopstream_${name} INTERFACE ${ARG_DEPENDS})
    return()
  endif()
  add_library(shopstream_${name} STATIC ${sources})
  add_library(shopstream::${name} ALIAS shopstream_${name})
  target_include_directories(shopstream_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(shopstream_${name} PUBLIC ${ARG_DEPENDS} PRIVATE shopstream_warnings)
  if(tests)
    add_executable(${name}_test EXCLUDE_FROM_ALL ${tests})
    set_target_properties(${name}_test PROPERTIES UNITY_BUILD OFF)  # Their helpers share names.
    target_link_libraries(${name}_test PRIVATE shopstream_${name} ${ARG_TEST_DEPENDS}
                                               shopstream_warnings GTest::gmock GTest::gtest_main)
    add_test(NAME ${name}_test COMMAND ${name}_test)
    # Far longer than any folder's tests take, even under ASan.
    set_tests_properties(${name}_test PROPERTIES TIMEOUT 300)
    add_dependencies(unit_tests ${name}_test)
  endif()
endfunction()
