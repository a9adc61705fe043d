# Turns a text file into a C++ constant, so that a program needs no file at run time:
#
#   shopstream_embed(shopstream_generate catalogue.yaml kCatalogueYaml)
#
# lets the sources of that target declare
# `namespace shopstream { extern const std::string_view kCatalogueYaml; }`.
function(shopstream_embed target file constant)
  get_filename_component(path "${file}" ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
  file(READ "${path}" SHOPSTREAM_EMBED_TEXT)
  set(SHOPSTREAM_EMBED_CONSTANT "${constant}")
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${constant}.cc")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/embedded.cc.in" "${generated}" @ONLY)
  target_sources(${target} PRIVATE "${generated}")
endfunction()
