#!/usr/bin/env bash
# Checks the archives of `make release` in bin/release: `make check-release`.
#
# Checksums; the program of this machine starts from its archive and says its version, and its man
# pages and completions are there. Where wine is, the Windows program trains: to the same figures as
# this machine's, 73 from a second process, 130 after Ctrl-C, and on to the end by --resume.
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
archives=$(cd "$source/../../bin/release" && pwd)
cd "$archives"

sha256sum --check --strict SHA256SUMS
dir=$(mktemp -d)
finish() {
	if command -v wineserver >/dev/null; then WINEPREFIX=$dir/wine wineserver -k || true; fi
	rm -rf "$dir"
}
trap finish EXIT
cd "$dir"

fail() {
	echo "check-release: $*" >&2
	exit 1
}

os=$(go env GOOS)
arch=$(go env GOARCH)
here=$(ls "$archives"/resnet-*-"$os-$arch".tar.gz)
tar xzf "$here"
name=$(basename "$here" .tar.gz)
version=${name#resnet-}
version=${version%-"$os-$arch"}
said=$("$name/resnet" version)
[[ $said == "resnet "*"$version"*"$os/$arch"* ]] || fail "version says $said, the archive is $name"
said=$("$name/resnet-mpi" version)
[[ $said == "resnet "*"$version"*"$os/$arch"* ]] || fail "resnet-mpi version says $said, the archive is $name"
[ "$(ls "$name/man" | wc -l)" -gt 40 ] || fail "fewer than 40 man pages"
grep -q 'SH OPTIONS' "$name/man/resnet-train.1" || fail "resnet-train.1 has no options"
for f in completion/resnet.bash completion/_resnet completion/resnet.fish completion/resnet.ps1 README.md LICENSE NOTICE CHANGELOG.md; do
	[ -s "$name/$f" ] || fail "$name/$f is missing or empty"
done
small=(--config quickstart --set train.epochs=2 --set train.schedule.drop.at_epochs='[]')
"$name/resnet" train "${small[@]}" --run here >/dev/null 2>&1
echo "$name: starts, trains"

windows=$(ls "$archives"/resnet-*-windows-amd64.zip 2>/dev/null || true)
if [ -z "$windows" ] || [ "$arch" != amd64 ] || ! command -v wine >/dev/null || ! command -v unzip >/dev/null; then
	echo "no Windows archive, wine or unzip: the Windows program is not run"
	exit
fi
export WINEDEBUG=-all WINEPREFIX=$dir/wine
unzip -q "$windows"
exe=./$(basename "$windows" .zip)/resnet.exe
if ! wine "$exe" version >version.txt 2>&1; then
	grep -q bcryptprimitives version.txt || fail "wine: $(head -3 version.txt)"
	if ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
		echo "this wine has no bcryptprimitives.dll, and there is no mingw-w64 to make one: the Windows program is not run"
		exit
	fi
	x86_64-w64-mingw32-gcc -shared -O2 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$source/wine/bcryptprimitives.c" -ladvapi32
	wine "$exe" version >version.txt 2>&1
fi
grep -q windows/amd64 version.txt || fail "wine: $(head -3 version.txt)"
wine "$exe" quickstart --set train.epochs=1 --set train.schedule.drop.at_epochs='[]' --out demo >demo.txt 2>&1 || fail "quickstart ended with $?: $(tail -3 demo.txt)"
[ -s demo/report.html ] || fail "quickstart has written no report"

status=0
wine "$exe" train "${small[@]}" --run there >train.txt 2>&1 &
process=$!
for _ in $(seq 600); do
	[ -s there/lock ] && grep -q Training train.txt && break
	sleep 0.1
done
wine "$exe" train --resume there >second.txt 2>&1 && fail "a second process trains in the same folder" || status=$?
[ "$status" = 73 ] || fail "a second process ended with $status, want 73: $(cat second.txt)"
kill -INT "$(pgrep -f -- 'resnet.exe train --config quickstart.*--run there' | tail -1)"
status=0
wait "$process" || status=$?
[ "$status" = 130 ] || fail "Ctrl-C ended with $status, want 130: $(tail -3 train.txt)"
wine "$exe" train --resume there >resume.txt 2>&1 || fail "resume ended with $?: $(tail -3 resume.txt)"
cmp here/metrics.csv there/metrics.csv || fail "Windows' figures differ from those of this machine's program"
echo "$(basename "$windows" .zip): quickstart, lock, Ctrl-C, resume; figures as here"
