package checkpoint

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/atomicfile/atomicfiletest"
)

// TestEveryTruncationAndEveryFlippedBitIsFound cuts each file of a checkpoint at every length and
// flips a bit in every byte of it. Loading names the file; resuming falls back to the checkpoint
// before, with a warning.
func TestEveryTruncationAndEveryFlippedBitIsFound(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 0)
	save(t, s, snapshot(1), snapshot(2))
	for _, name := range []string{"step-000002.safetensors", "step-000002.state.safetensors", "step-000002.json"} {
		path := filepath.Join(s.dir, name)
		whole := m.Files[path].Data
		check := func(what string, at int, damaged []byte) {
			t.Helper()
			m.Files[path].Data = damaged
			defer func() { m.Files[path].Data = whole }()
			_, err := s.Load(2)
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s at %d: Load said %v", name, what, at, err)
			}
			l, warnings, err := s.LoadLatest()
			if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], name) || !strings.Contains(warnings[0], "using step 1") {
				t.Fatalf("%s %s at %d: %v, warnings %q", name, what, at, err, warnings)
			}
			checkLoaded(t, l, 1)
		}
		for n := range whole {
			check("cut", n, whole[:n:n])
			flipped := append([]byte(nil), whole...)
			flipped[n] ^= 1 << (n % 8)
			check("flipped", n, flipped)
		}
		check("longer", len(whole), append(whole[:len(whole):len(whole)], 'x'))
	}
	l, _, err := s.LoadLatest()
	if err != nil {
		t.Fatal(err)
	}
	checkLoaded(t, l, 2)
}

func TestAMissingFileIsFound(t *testing.T) {
	for _, name := range []string{"step-000002.safetensors", "step-000002.state.safetensors"} {
		m := atomicfiletest.NewDisk()
		s := openMem(t, m, 0)
		save(t, s, snapshot(1), snapshot(2))
		delete(m.Files, filepath.Join(s.dir, name))
		if _, err := s.Load(2); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), name+": missing") {
			t.Errorf("%s: %v", name, err)
		}
		if l, warnings, err := s.LoadLatest(); err != nil || l.Manifest.Step != 1 || len(warnings) != 1 {
			t.Errorf("%s: %v, %q", name, err, warnings)
		}
		if latest, err := s.Latest(); err != nil || latest.Step != 1 {
			t.Errorf("%s: latest %d (%v)", name, latest.Step, err)
		}
	}
}

// TestAMissingPermissionIsNotDamage: falling back would train the same steps again because of a
// mode.
func TestAMissingPermissionIsNotDamage(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 0)
	save(t, s, snapshot(1), snapshot(2))
	m.Op = func(kind, path string) error {
		if kind == "open" && strings.HasSuffix(path, "step-000002.safetensors") {
			return os.ErrPermission
		}
		return nil
	}
	if _, _, err := s.LoadLatest(); !errors.Is(err, os.ErrPermission) || !errors.Is(err, ErrIO) {
		t.Errorf("error %v", err)
	}
}

// resealed returns a manifest's bytes with a text replaced and a checksum that fits: made so, not
// damaged.
func resealed(t *testing.T, m Manifest, old, replacement string) []byte {
	t.Helper()
	data, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Replace(string(data[:len(data)-sumLength]), old, replacement, 1)
	if old != "" && body == string(data[:len(data)-sumLength]) {
		t.Fatalf("%q is not in %s", old, data)
	}
	return seal([]byte(body))
}

func TestANewerFormatIsRefusedAndNamesItsMaker(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 0)
	save(t, s, snapshot(1), snapshot(2))
	manifest, err := s.Latest()
	if err != nil {
		t.Fatal(err)
	}
	newer := resealed(t, manifest, `"format": 1,`, `"format": 2, "something": {"new": []},`)
	newer = resealedBytes(t, newer, "resnet v0.1.0", "resnet v9.1.0")
	path := filepath.Join(s.dir, "step-000002.json")
	m.Files[path].Data = newer
	for what, load := range map[string]func() error{
		"Load":       func() error { _, err := s.Load(2); return err },
		"LoadLatest": func() error { _, _, err := s.LoadLatest(); return err },
	} {
		err := load()
		if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "made by resnet v9.1.0") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s said %v", what, err)
		}
	}
	openMem(t, m, 0)
	if m.Files[filepath.Join(s.dir, "step-000002.safetensors")] == nil {
		t.Error("the weights of a newer checkpoint were swept")
	}
	if _, err := s.Save(snapshot(2)); !errors.Is(err, ErrVersion) {
		t.Errorf("a newer checkpoint was replaced: %v", err)
	}
}

func resealedBytes(t *testing.T, data []byte, old, replacement string) []byte {
	t.Helper()
	body := strings.Replace(string(data[:len(data)-sumLength]), old, replacement, 1)
	return seal([]byte(body))
}

// TestAManifestThatLies has manifests whose checksum fits and whose content does not.
func TestAManifestThatLies(t *testing.T) {
	s := openMem(t, atomicfiletest.NewDisk(), 0)
	save(t, s, snapshot(1))
	good, err := s.Latest()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, replacement string }{
		"path out of the folder":   {`"step-000001.safetensors"`, `"../step-000001.safetensors"`},
		"absolute path":            {`"step-000001.safetensors"`, `"/etc/passwd"`},
		"another file's name":      {`"step-000001.safetensors"`, `"notes.txt"`},
		"negative size":            {`"bytes": `, `"bytes": -`},
		"size beyond 64 bits":      {`"bytes": `, `"bytes": 99999999999999999999`},
		"negative step":            {`"step": 1`, `"step": -1`},
		"format zero":              {`"format": 1`, `"format": 0`},
		"unknown field":            {`"step": 1`, `"step": 1, "extra": 1`},
		"wrong type":               {`"step": 1`, `"step": "1"`},
		"deep nesting":             {`"metrics": null`, `"metrics": ` + strings.Repeat("[", 20_000)},
		"control characters, bell": {`"config_digest": "`, "\x07"},
	} {
		data := resealed(t, good, c.old, c.replacement)
		if m, err := decodeManifest("step-000001.json", data); !errors.Is(err, ErrCorrupt) || !strings.HasPrefix(err.Error(), "step-000001.json") {
			t.Errorf("%s: %+v, error %v", name, m, err)
		}
	}
	m, err := decodeManifest("x", resealed(t, good, "", ""))
	if err != nil || !cmp.Equal(m, good) {
		t.Errorf("the manifest itself: %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	good := Manifest{
		Format: 1, Producer: "p", Step: 3, Metrics: map[string]float64{"a": 0.1},
		Model: Part{"step-000003.safetensors", 1, "00"}, State: Part{"step-000003.state.safetensors", 2, "00"},
	}
	data, err := good.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[:len(data)-sumLength], false)
	f.Add(data, true)
	f.Add([]byte(`{"format": 2`), false)
	f.Fuzz(func(t *testing.T, b []byte, raw bool) {
		if !raw { // else the fuzzer would have to find a sha256
			b = seal(b)
		}
		m, err := decodeManifest("fuzz", b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
				t.Fatalf("error %v has no class", err)
			}
			return
		}
		again, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		n, err := decodeManifest("again", again)
		if err != nil || !cmp.Equal(m, n) {
			t.Fatalf("%+v came back as %+v (%v)", m, n, err)
		}
	})
}

// golden makes the checkpoint of the present format anew: for the commit that introduces a format,
// never after it.
var golden = flag.Bool("golden", false, "write testdata/checkpoints of the present format")

// TestCheckpointsOfEveryFormatLoad loads a checkpoint of each format there has been:
// testdata/checkpoints/vN.
func TestCheckpointsOfEveryFormatLoad(t *testing.T) {
	const dir = "../../../testdata/checkpoints"
	if *golden {
		s, err := Open(filepath.Join(dir, fmt.Sprintf("v%d", Format)), Options{Producer: "resnet v0.1.0"})
		if err != nil {
			t.Fatal(err)
		}
		save(t, s, withError(10, 12.5), final(withError(20, 13)))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := filepath.Glob(dir + "/v*")
	if err != nil || len(runs) != Format {
		t.Fatalf("%d golden runs (%v), want one for each of %d formats", len(runs), err, Format)
	}
	for _, run := range runs {
		s := View(run, nil)
		l, warnings, err := s.LoadLatest()
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v %q", run, err, warnings)
		}
		checkLoaded(t, l, 20)
		if best, err := s.Best(); err != nil || best.Step != 10 || best.Metrics[MetricValidationError] != 12.5 {
			t.Errorf("%s: best %+v (%v)", run, best, err)
		}
	}
}
