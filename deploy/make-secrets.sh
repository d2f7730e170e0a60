#!/bin/sh
# Makes what docker-compose.yml reads as secrets, where it is not there yet: passwords and tokens by chance, and a
# certificate that this machine signs itself, to be replaced by the hospital's. Nothing is overwritten.
#   sh deploy/make-secrets.sh [FOLDER]        NEUROFUSE_SITE names the host, localhost by default
set -eu
folder="${1:-secrets}"
site="${NEUROFUSE_SITE:-localhost}"

# Compose mounts each file into a container whose user is another one, so the files are readable and the folder is shut.
mkdir -p -m 0700 "$folder"
chmod 0700 "$folder"
umask 022

token() {
  # What an attempt without openssl, or on a full disk, left empty is no secret.
  test -s "$folder/$1" || openssl rand -hex 32 > "$folder/$1"
}
token postgres_password
token metrics_token
token admin_token
token grafana_password
test -s "$folder/database_url" ||
  printf 'postgresql://neurofuse:%s@postgres/neurofuse\n' "$(cat "$folder/postgres_password")" > "$folder/database_url"

if ! test -s "$folder/tls_key" && ! test -s "$folder/tls_certificate"; then
  said=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$site" \
    -addext "subjectAltName=DNS:$site" -keyout "$folder/tls_key.new" -out "$folder/tls_certificate.new" 2>&1) ||
    { echo "$said" >&2; exit 1; }
  chmod 0644 "$folder/tls_key.new"
  mv "$folder/tls_certificate.new" "$folder/tls_certificate"
  mv "$folder/tls_key.new" "$folder/tls_key"
  echo "A self-signed certificate for $site lies in $folder/tls_certificate; put the hospital's there, and its key in tls_key."
fi
for file in tls_key tls_certificate; do
  test -s "$folder/$file" || { echo "Expected $folder/$file beside the other one; put it there, or remove both." >&2; exit 1; }
done
