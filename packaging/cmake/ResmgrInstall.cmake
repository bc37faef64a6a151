# What `cmake --install` puts where, in three components: the command, the agent, and its
# configuration with the service unit. The agent looks for it in /etc: install with the prefix /usr.

install(TARGETS resmgr RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT cli)
install(TARGETS resmgr-agent RUNTIME DESTINATION "${CMAKE_INSTALL_SBINDIR}" COMPONENT agent)

# resmgr_install_present(COMPONENT DESTINATION FILE…): those that are there.
function(resmgr_install_present component destination)
  foreach(file IN LISTS ARGN)
    if(EXISTS "${CMAKE_SOURCE_DIR}/${file}")
      install(FILES "${CMAKE_SOURCE_DIR}/${file}" DESTINATION "${destination}"
              COMPONENT ${component})
    endif()
  endforeach()
endfunction()

resmgr_install_present(cli "${CMAKE_INSTALL_MANDIR}/man1" man/resmgr.1)
resmgr_install_present(agent "${CMAKE_INSTALL_MANDIR}/man5" man/resmgr.toml.5 man/resmgr-services.5)
resmgr_install_present(agent "${CMAKE_INSTALL_MANDIR}/man8" man/resmgr-agent.8)

resmgr_install_present(agent "${CMAKE_INSTALL_DATADIR}/doc/resmgr-agent/examples"
  packaging/nginx/resmgr.conf)

# What makes the images of the services, for `resmgr images build`.
install(DIRECTORY "${CMAKE_SOURCE_DIR}/packaging/images" DESTINATION
  "${CMAKE_INSTALL_DATADIR}/resmgr" USE_SOURCE_PERMISSIONS COMPONENT agent)
install(FILES packaging/lib/common.sh packaging/lib/debian.sh packaging/lib/debian-image.sh
  DESTINATION "${CMAKE_INSTALL_DATADIR}/resmgr/lib" COMPONENT agent)

# Where each shell looks for what packages bring (Debian's paths).
resmgr_install_present(cli "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
  completions/resmgr.bash)
resmgr_install_present(cli "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions" completions/_resmgr)
resmgr_install_present(cli "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d"
  completions/resmgr.fish)

# In Debian's packages debhelper puts these where the release has them.
resmgr_install_present(config "${CMAKE_INSTALL_FULL_SYSCONFDIR}/resmgr" packaging/resmgr.toml)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/packaging/services.d/"
  DESTINATION "${CMAKE_INSTALL_FULL_SYSCONFDIR}/resmgr/services.d" COMPONENT config
  FILES_MATCHING PATTERN "*.toml")
resmgr_install_present(config lib/systemd/system packaging/systemd/resmgr-agent.service)
install(FILES packaging/systemd/resmgr-agent.sysusers DESTINATION lib/sysusers.d
  RENAME resmgr-agent.conf COMPONENT config)
install(FILES packaging/systemd/resmgr-agent.tmpfiles DESTINATION lib/tmpfiles.d
  RENAME resmgr-agent.conf COMPONENT config)
