package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"resnet": main})
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
			"jsonkeys": jsonKeys, "photographs": photographs, "recordings": recordings, "posteriors": posteriors, "waitfor": waitFor, "status": status, "signal": sendSignal,
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

// jsonKeys FILE PATH... requires that FILE (stdout: the last output) is one JSON document with
// these keys, sorted or not; a path goes down by dots, and through the first element of a list.
func jsonKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: jsonkeys FILE PATH...")
	}
	var doc any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	for _, path := range args[1:] {
		v := doc
		for _, key := range strings.Split(path, ".") {
			if list, ok := v.([]any); ok {
				if len(list) == 0 {
					ts.Fatalf("%s: an empty list on the way to %s", args[0], path)
				}
				v = list[0]
			}
			m, ok := v.(map[string]any)
			if !ok {
				ts.Fatalf("%s: %s: not an object at %q", args[0], path, key)
			}
			if v, ok = m[key]; !ok {
				keys := make([]string, 0, len(m))
				for k := range m {
					keys = append(keys, k)
				}
				slices.Sort(keys)
				ts.Fatalf("%s: no key %s; there are %v", args[0], path, keys)
			}
		}
	}
}

// waitFor GLOB waits until a file matches.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor GLOB")
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
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
