package main

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"resnet/internal/system"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"resnet": func() {
		if root := os.Getenv("MACHINE"); root != "" { // the folder of a script that stands for one
			system.UseTree(root)
		}
		measured()
	}})
}

// TestScripts runs the scripts of testdata/script against the real command line, in an empty home
// folder.
func TestScripts(t *testing.T) {
	fixtures, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script",
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("XDG_CACHE_HOME", filepath.Join(home, ".cache"))
			e.Setenv("FIXTURES", fixtures)
			return os.Mkdir(home, 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"jsonkeys": jsonKeys, "samevalue": sameValue, "photographs": photographs, "recordings": recordings, "posteriors": posteriors, "waitfor": waitFor, "status": status, "signal": sendSignal,
		},
	})
}

// status CODE ARGS... runs resnet and compares its exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: status CODE ARGS...")
	}
	err := ts.Exec("resnet", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("resnet %s: exit status %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// jsonKeys FILE PATH[=VALUE]... requires that FILE (stdout: the last output) is one JSON document
// with these keys and values. A path goes down by dots and through lists by index, or through the
// first element; len is the length of a list. VALUE is a number, text, true, false or null;
// NUMBER~TOLERANCE allows a difference.
func jsonKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: jsonkeys FILE PATH[=VALUE]...")
	}
	for _, arg := range args[1:] {
		path, want, compare := strings.Cut(arg, "=")
		got := jsonValue(ts, args[0], path)
		if compare && !sameJSON(got, want) {
			ts.Fatalf("%s: %s is %v, want %s", args[0], path, got, want)
		}
	}
}

// sameValue FILE1 PATH1 FILE2 PATH2 requires that two values in JSON documents are equal.
func sameValue(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: samevalue FILE1 PATH1 FILE2 PATH2")
	}
	a, b := jsonValue(ts, args[0], args[1]), jsonValue(ts, args[2], args[3])
	if reflect.DeepEqual(a, b) == neg {
		ts.Fatalf("%s of %s is %v, %s of %s is %v", args[1], args[0], a, args[3], args[2], b)
	}
}

// jsonValue is the value at a path of a file, as jsonKeys says.
func jsonValue(ts *testscript.TestScript, file, path string) any {
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile(file)), &v); err != nil {
		ts.Fatalf("%s: %v", file, err)
	}
	for _, key := range strings.Split(path, ".") {
		if list, ok := v.([]any); ok {
			if key == "len" {
				v = float64(len(list))
				continue
			}
			i, err := strconv.Atoi(key)
			if i >= len(list) {
				ts.Fatalf("%s: a list of %d on the way to %s", file, len(list), path)
			}
			if v = list[i]; err == nil {
				continue
			}
		}
		m, ok := v.(map[string]any)
		if !ok {
			ts.Fatalf("%s: %s: not an object at %q", file, path, key)
		}
		if v, ok = m[key]; !ok {
			ts.Fatalf("%s: no key %s; there are %v", file, path, slices.Sorted(maps.Keys(m)))
		}
	}
	return v
}

// sameJSON compares a value with one that is written as in jsonKeys.
func sameJSON(got any, want string) bool {
	switch got := got.(type) {
	case float64:
		number, tolerance, near := strings.Cut(want, "~")
		n, err := strconv.ParseFloat(number, 64)
		if !near {
			return err == nil && n == got
		}
		d, bad := strconv.ParseFloat(tolerance, 64)
		return err == nil && bad == nil && math.Abs(n-got) <= d
	case string:
		return got == want
	case bool, nil:
		var w any
		return json.Unmarshal([]byte(want), &w) == nil && w == got
	}
	return false
}

// waitFor GLOB waits until a file matches.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor GLOB")
	}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if found, _ := filepath.Glob(ts.MkAbs(args[0])); len(found) > 0 {
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}

// sendSignal NAME sends a signal to the last command that was started in the background.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	running := ts.BackgroundCmds()
	if neg || len(args) != 1 || len(running) == 0 {
		ts.Fatalf("usage: signal NAME, with a command in the background")
	}
	for _, s := range watched {
		if strings.EqualFold(s.String(), map[string]string{"INT": "interrupt", "TERM": "terminated", "HUP": "hangup", "USR1": "user defined signal 1"}[args[0]]) {
			if err := running[len(running)-1].Process.Signal(s); err != nil {
				ts.Fatalf("signal %s: %v", args[0], err)
			}
			return
		}
	}
	ts.Fatalf("unknown signal %s", args[0])
}
