#!/usr/bin/env bash
# Runs every fuzz target of the folders for TIME, which is as long as `go test -fuzztime` takes it: `make fuzz`.
#
#	testdata/fuzz.sh TIME "FLAGS OF go test -c" FOLDER...
#
# What is found goes to Go's cache, from which the next run starts. A new input is not made smaller for a minute, as is the default: where
# inputs are large that would be all the time there is. Two of Go's failures are none of a target's. At times the end of the time itself is
# reported as one, "context deadline exceeded", without an input. And a worker ends itself when an input takes ten seconds of the clock,
# which on a busy machine is no fault of the input: it then has to pass by itself.
set -euo pipefail
time=$1 flags=$2
shift 2
root=$PWD
cache=$(${GO:-go} env GOCACHE)/fuzz/resnet
mkdir -p bin/fuzz
log=$root/bin/fuzz/log

excused() {
	local input
	if ! grep -q 'Failing input' "$log"; then
		grep -q 'context deadline exceeded' "$log"
		return
	fi
	grep -q 'fuzzing process hung or terminated unexpectedly' "$log" || return 1
	input=$(sed -n 's/.*Failing input written to testdata.fuzz.//p' "$log")
	[ -n "$input" ] && "$binary" -test.run "^${input%/*}\$/^${input#*/}\$" -test.timeout 1m && rm "testdata/fuzz/$input" && rmdir --ignore-fail-on-non-empty "testdata/fuzz/${input%/*}"
}

failed=
for package in $(grep -rl --include='*_test.go' '^func Fuzz' "$@" | xargs -n1 dirname | sort -u); do
	binary=$root/bin/fuzz/${package//\//-}.test
	# shellcheck disable=SC2086 # the flags are several words
	${GO:-go} test -c $flags -o "$binary" "./$package"
	cd "$package"
	for target in $("$binary" -test.list '^Fuzz' | grep '^Fuzz'); do
		echo "$package $target"
		"$binary" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" -test.fuzzminimizetime 1x -test.fuzzcachedir "$cache/$package" >"$log" 2>&1 && status=0 || status=$?
		cat "$log"
		[ "$status" = 0 ] || excused || failed="$failed $target"
	done
	cd "$root"
done
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
