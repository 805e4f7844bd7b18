#!/bin/sh
# Writes gnu.txt, the encodings that GNU's assembler gives to the instructions of inst_test.go, as
# its disassembler prints them. Needs Debian's binutils-aarch64-linux-gnu.
set -e
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
go test -run '^TestEncodings$' . -args -list "$dir/list.s" > /dev/null || test -s "$dir/list.s"
aarch64-linux-gnu-as -o "$dir/list.o" "$dir/list.s"
aarch64-linux-gnu-objdump -d "$dir/list.o" | awk -F '\t' '/^ +[0-9a-f]+:\t/ {
	sub(/ +$/, "", $2); sub(/[ \t]*\/\/.*/, "", $4); print $2 " " $3 " " $4 }' > testdata/gnu.txt
