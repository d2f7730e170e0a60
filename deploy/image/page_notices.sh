#!/bin/sh
# Licence texts and notices of what is bundled into the page: most of them ask to travel with every copy. A package that
# is a bundle itself keeps those of its parts in *.LICENSE.txt. Run in web/.
set -eu
npm ls --omit=dev --all --parseable > packages
tail -n +2 packages | sort -u | while read -r package; do
  printf '==== %s\n\n' "${package##*/node_modules/}"
  find "$package" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'notice*' -o -name '*.LICENSE.txt' \) -exec cat {} +
  printf '\n'
done
rm packages
