# embed.cmake - writes OUT, a C file that holds the page's files (page.h).
# cmake -DOUT=... -DFROM=... -P embed.cmake
set(text "/* Made by server/embed.cmake. */\n#include \"server/page.h\"\n")
foreach(kind "html:text/html" "js:text/javascript" "css:text/css")
  string(REPLACE ":" ";" parts ${kind})
  list(GET parts 0 name)
  list(GET parts 1 type)
  file(READ ${FROM}/page.${name} hex HEX)
  file(SHA256 ${FROM}/page.${name} hash)
  string(SUBSTRING ${hash} 0 32 etag)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND text
    "static const unsigned char ${name}_bytes[] = { ${bytes} };\n"
    "const page page_${name} = { ${name}_bytes, sizeof ${name}_bytes, "
    "\"${type}; charset=utf-8\", \"${etag}\" };\n")
endforeach()
file(WRITE ${OUT} "${text}")
