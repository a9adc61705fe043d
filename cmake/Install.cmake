# cmake --install build/release --prefix DIR: the program, the libraries that set-up brought (system packages hold the
# others), its default configuration, the schemas, the SQL of Silver and Gold, and what shells and `man` read.
set(needed_at_run_time lib/shopstream)
set_target_properties(shopstream PROPERTIES INSTALL_RPATH "\$ORIGIN/../${needed_at_run_time}")
install(TARGETS shopstream RUNTIME_DEPENDENCY_SET shopstream_libraries RUNTIME DESTINATION bin)

string(REGEX REPLACE "([][+.*()^$?|\\\\{}])" "\\\\\\1" deps_pattern "${SHOPSTREAM_DEPS}")
install(RUNTIME_DEPENDENCY_SET shopstream_libraries
  PRE_EXCLUDE_REGEXES "^ld-linux"
  POST_INCLUDE_REGEXES "^${deps_pattern}/" POST_EXCLUDE_REGEXES ".*"
  LIBRARY DESTINATION ${needed_at_run_time})

# Loaded at run time, from here rather than from the folder of set-up.
install(FILES "${duckdb_library}" DESTINATION ${needed_at_run_time})
install(FILES "${SHOPSTREAM_DEPS}/duckdb/LICENSE" DESTINATION share/doc/shopstream RENAME LICENSE.duckdb)

install(DIRECTORY config schemas DESTINATION share/shopstream)
# To be copied and changed; the program has its own.
install(DIRECTORY src/refine/sql DESTINATION share/shopstream)
install(FILES LICENSE DESTINATION share/doc/shopstream)

# Services of systemd, which know the installed program by its whole path.
foreach(service registry ingest refine console)
  install(CODE "
    file(READ \"${PROJECT_SOURCE_DIR}/deploy/systemd/shopstream-${service}.service\" text)
    string(REPLACE \"/usr/local/bin\" \"\${CMAKE_INSTALL_PREFIX}/bin\" text \"\${text}\")
    file(WRITE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/shopstream-${service}.service\"
      \"\${text}\")")
endforeach()
install(FILES deploy/systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME shopstream.conf)

# The program writes these itself, from its table of commands.
function(install_output file)
  install(CODE "
    execute_process(COMMAND \"$<TARGET_FILE:shopstream>\" ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    file(WRITE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${file}\" \"\${text}\")")
endfunction()
install_output(share/bash-completion/completions/shopstream completion bash)
install_output(share/zsh/site-functions/_shopstream completion zsh)
install_output(share/fish/vendor_completions.d/shopstream.fish completion fish)
install_output(share/man/man1/shopstream.1 man)
