# embed.cmake - writes OUT, a C file that holds the files under FROM (page.h).
# cmake -DOUT=... -DFROM=... -P embed.cmake
#
# A file's path is its name below FROM; x/index.html is /x, and index.html is /.
# two-tabs.html is the README's: it is opened from a disk, and its script is inline.
cmake_policy(VERSION 3.25)

set(type_html "text/html; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_webmanifest "application/manifest+json")

# By path, because page.c looks by halves: so the path is found before the sorting.
file(GLOB_RECURSE names RELATIVE ${FROM} ${FROM}/*)
set(paths "")
foreach(name ${names})
  if(name STREQUAL "two-tabs.html" OR name STREQUAL "package.json")
    continue()
  endif()
  string(REGEX REPLACE "/?index\\.html$" "" path "/${name}")
  if(path STREQUAL "")
    set(path "/")
  endif()
  set("name_of_${path}" ${name})
  list(APPEND paths ${path})
endforeach()
list(SORT paths COMPARE STRING)

set(text "/* Made by server/embed.cmake. */\n#include \"server/page.h\"\n")
set(table "")
set(count 0)
foreach(path ${paths})
  set(name ${name_of_${path}})
  string(REGEX MATCH "[a-z]+$" ending ${name})
  if(NOT DEFINED type_${ending})
    message(FATAL_ERROR "no media type is known for web-demo/${name}")
  endif()
  file(READ ${FROM}/${name} hex HEX)
  file(SHA256 ${FROM}/${name} hash)
  string(SUBSTRING ${hash} 0 32 etag)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND text "static const unsigned char file_${count}[] = { ${bytes} };\n")
  string(APPEND table
    "    { \"${path}\", file_${count}, sizeof file_${count}, \"${type_${ending}}\", \"${etag}\" },\n")
  math(EXPR count "${count} + 1")
endforeach()
string(APPEND text "const page page_files[] = {\n${table}};\nconst size_t page_count = ${count};\n")
file(WRITE ${OUT} "${text}")
