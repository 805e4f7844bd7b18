package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/configs"
)

// load writes text to a file and loads it with the given overrides.
func load(t *testing.T, text string, env []string, sets ...string) (*Loaded, []Problem) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := Load(Input{File: path, Sets: sets, Env: env})
	var ce *Error
	if errors.As(err, &ce) {
		for i := range ce.Problems {
			ce.Problems[i].Source = strings.Replace(ce.Problems[i].Source, path, "x.yaml", 1)
		}
		return nil, ce.Problems
	}
	if err != nil {
		t.Fatal(err)
	}
	return l, nil
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	text := "train: {batch: 10, seed: 20, accumulate: 2}\n"
	l, problems := load(t, text, []string{"RESNET_TRAIN_BATCH=30", "RESNET_TRAIN_SEED=40"}, "train.batch=50")
	if problems != nil {
		t.Fatal(problems)
	}
	if l.Train.Batch != 50 || l.Train.Seed != 40 || l.Train.Accumulate != 2 || l.Train.Optimizer.Momentum != 0.9 {
		t.Errorf("batch %d seed %d accumulate %d momentum %v, want 50 40 2 0.9",
			l.Train.Batch, l.Train.Seed, l.Train.Accumulate, l.Train.Optimizer.Momentum)
	}
	for path, want := range map[string]string{
		"train.batch": "--set train.batch=50", "train.seed": "RESNET_TRAIN_SEED", "train.optimizer.momentum": "default",
	} {
		if got := l.origins[path].String(); got != want {
			t.Errorf("origin of %s = %q, want %q", path, got, want)
		}
	}
	if got := l.origins["train.accumulate"].String(); !strings.HasSuffix(got, "x.yaml:1") {
		t.Errorf("origin of train.accumulate = %q", got)
	}
}

func TestStrongerSourceChoosesBetweenIterationsAndEpochs(t *testing.T) {
	text := "train:\n  iterations: 64000\n  schedule: {drop: {at: [1, 2]}}\neval: {every: 1000}\n"
	l, problems := load(t, text, nil, "train.epochs=3", "train.schedule.drop.at_epochs=1,2")
	if problems != nil {
		t.Fatal(problems)
	}
	if l.Train.Iterations != 0 || l.Train.Epochs != 3 || len(l.Train.Schedule.Drop.At) != 0 {
		t.Errorf("iterations %d, epochs %d, at %v; want 0, 3, none", l.Train.Iterations, l.Train.Epochs, l.Train.Schedule.Drop.At)
	}
	if !cmp.Equal(l.Train.Schedule.Drop.AtEpochs, []int{1, 2}) {
		t.Errorf("at_epochs = %v", l.Train.Schedule.Drop.AtEpochs)
	}
	if l.Eval.Every != 1000 || l.Eval.EveryEpochs != 0 {
		t.Errorf("eval every %d, every_epochs %d; the file's choice clears the default", l.Eval.Every, l.Eval.EveryEpochs)
	}
}

func TestAllProblemsAreReportedAtOnceWithPositions(t *testing.T) {
	text := `model: {nmae: resnet20}
train:
  batch: many
  seed: -1
  learning_rate: 0.1
  iterations: 6.4e4
  batch: 3
  schedule:
    drop: {at: [1, x]}
Data: {}
eval: [1]
`
	_, problems := load(t, text, nil)
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	want := []string{
		`x.yaml:1:9: unknown key "nmae" - did you mean "name"?`,
		`x.yaml:3:10: train.batch: takes a whole number, not "many"`,
		`x.yaml:4:9: train.seed: takes a whole number, not negative, not "-1"`,
		`x.yaml:5:3: unknown key "learning_rate" - did you mean train.schedule.rate?`,
		`x.yaml:6:15: train.iterations: takes a whole number, not "6.4e4"; write 64000`,
		`x.yaml:7:3: duplicate key "batch"; it stands on line 3 already`,
		`x.yaml:9:16: train.schedule.drop.at: item 2: takes a whole number, not "x"`,
		`x.yaml:10:1: unknown key "Data" - did you mean "data"?`,
		`x.yaml:11:7: eval is a section with the keys every, every_epochs, train_set, batch, not a list`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestBadFilesNameTheMistake(t *testing.T) {
	files, err := filepath.Glob("../../testdata/config/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		want, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		_, err = Load(Input{File: file})
		if err == nil {
			t.Errorf("%s: accepted", file)
			continue
		}
		got := strings.ReplaceAll(err.Error(), file, filepath.Base(file))
		if strings.TrimSpace(got) != strings.TrimSpace(string(want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", file, got, want)
		}
		var all *Error
		if !errors.As(err, &all) {
			t.Errorf("%s: a %T, want an *Error", file, err)
		}
	}
}

func TestHostileYAMLIsRefusedQuickly(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'k'; c++ {
		prev := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+prev+",", 9) + "*" + prev + "]\n"
	}
	cases := map[string]struct{ text, want string }{
		"aliases":       {bomb, "unknown key"},
		"bomb as value": {bomb + "train: {schedule: {drop: {at: *k}}}\n", "item 1: takes a whole number, not a list"},
		"deep flow":     {strings.Repeat("[", 100_000), "exceeded max depth"},
		"deep blocks":   {strings.Repeat("- ", 100_000), "exceeded max depth"},
		"own anchor":    {"train: &t {schedule: *t}\n", ""},
		"merge":         {"data: &d {name: mnist}\ntrain:\n  <<: *d\n", "merge keys"},
		"tab":           {"train:\n\tbatch: 3\n", "x.yaml:2:1: a tab indents this line"},
		"latin-1":       {"model: {name: r\xe9sn\xe9t}\n", "x.yaml:1:16: not UTF-8"},
		"utf-16":        {"\xff\xfem\x00o\x00", "not UTF-8"},
		"NUL":           {"model: {name: \x00}\n", "control characters"},
		"two documents": {"train: {}\n---\ntrain: {}\n", "second YAML document"},
		"scalar":        {"resnet20\n", "an experiment is a section"},
		"list key":      {"[a, b]: 3\n", "a key has to be a word"},
		"huge int":      {"train: {batch: 99999999999999999999999}\n", "takes a whole number"},
		"infinite rate": {"train: {schedule: {rate: .inf}}\n", "finite"},
		"no value":      {"train: {batch: }\n", "leave the key out"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, problems := load(t, c.text, nil)
			if c.want == "" {
				return // has to end, whatever it says
			}
			if all := (&Error{problems}).Error(); !strings.Contains(all, c.want) {
				t.Errorf("problems %q do not mention %q", all, c.want)
			}
		})
	}
}

func TestByteOrderMarkAndEmptySectionsAreAccepted(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "\ufefftrain: {batch: 3}\n", "train:\n  # batch: 3\nmodel:\n", "---\ntrain: {batch: 3}\n"} {
		l, problems := load(t, text, nil)
		if problems != nil {
			t.Errorf("%q: %v", text, problems)
		} else if strings.Contains(text, "{batch: 3}") && l.Train.Batch != 3 {
			t.Errorf("%q: batch %d", text, l.Train.Batch)
		}
	}
}

func TestMisspeltVariableAndSetAreRefusedWithASuggestion(t *testing.T) {
	_, problems := load(t, "", []string{"RESNET_TRAIN_BACTH=3", "RESNET_EVAL_BATCH=x", "RESNET_CPU=avx2", "HOME=/"},
		"batch=3", "trian.seed=2", "train=1", "data.augment.flip=yes", "noequals")
	got := (&Error{problems}).Error()
	want := `RESNET_TRAIN_BACTH: no configuration key has this name - did you mean "RESNET_TRAIN_BATCH"?
RESNET_EVAL_BATCH: takes a whole number, not "x"
--set batch=3: unknown key "batch" - did you mean "train.batch"?
--set trian.seed=2: unknown key "trian.seed" - did you mean "train.seed"?
--set train=1: train is a section; set one of its keys, such as train.batch
--set data.augment.flip=yes: takes true or false, not "yes"
--set noequals: has to be key=value, such as --set train.batch=64`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWrittenConfigurationReadsBackTheSame(t *testing.T) {
	sets := []string{
		"train.seed=18446744073709551615", "data.dir=/a b/ü: #c\n\"d", "train.schedule.rate=1e-7", "model.shortcut=B",
		"train.schedule.drop.at=[1,2,3]",
	}
	l, problems := load(t, "", nil, sets...)
	if problems != nil {
		t.Fatal(problems)
	}
	for name, comment := range map[string]func(string) string{
		"bare": nil, "documented": Doc,
	} {
		again, problems := load(t, string(Encode(&l.Config, comment)), nil)
		if problems != nil {
			t.Fatalf("%s: %v", name, problems)
		}
		if diff := cmp.Diff(valuesOf(schema(), &l.Config), valuesOf(schema(), &again.Config)); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
	}
}

func TestEveryPresetLoadsAndMatchesItsName(t *testing.T) {
	for _, name := range configs.Names() {
		l, err := Load(Input{File: name})
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
			continue
		}
		if depth := strings.TrimPrefix(strings.TrimPrefix(name, "cifar-plain"), "cifar"); !strings.Contains(depth, "-") &&
			strings.HasPrefix(name, "cifar") && !strings.HasSuffix(l.Model.Name, depth) {
			t.Errorf("%s trains %s", name, l.Model.Name)
		}
		checkResolves(t, name, l)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	for _, f := range schema().leaves() {
		if f.doc == "" {
			t.Errorf("%s has no doc tag", f.path)
		}
		if f.path != strings.ToLower(f.path) {
			t.Errorf("%s: viper lowers the case of keys", f.path)
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, name := range configs.Names() {
		src, err := configs.Find(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src.Data)
	}
	f.Add([]byte("a: &a [*a]\ntrain: &t {schedule: *t}\n? [x]\n: !!binary aGk=\n"))
	f.Add([]byte("\ufefftrain: {batch: 0x10, seed: 1_0, schedule: {rate: .nan, drop: {at: [0o7]}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		root := schema()
		ly, problems := parseYAML("fuzz.yaml", data, root)
		for path, value := range ly.values {
			leaf := root.find(path)
			if leaf == nil || leaf.kind == sectionField {
				t.Fatalf("a value for %q, which is no leaf", path)
			}
			_ = value
		}
		l := &Loaded{origins: map[string]origin{}}
		if err := l.merge([]layer{ly}, root); err != nil {
			t.Fatalf("what the walk accepted does not merge: %v", err)
		}
		_ = l.validate()
		if len(problems) > 0 {
			_ = (&Error{problems}).Error()
			return
		}
		again, problems := parseYAML("again.yaml", Encode(&l.Config, nil), root)
		if len(problems) > 0 {
			t.Fatalf("the written configuration is refused: %v", problems)
		}
		m := &Loaded{origins: map[string]origin{}}
		if err := m.merge([]layer{again}, root); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(valuesOf(root, &l.Config), valuesOf(root, &m.Config)); diff != "" {
			t.Fatalf("(-read +written and read):\n%s", diff)
		}
	})
}

func TestTheDefaultIsThePapersSmallestNetwork(t *testing.T) {
	if c := Default(); c.Model.Name != "resnet20" || c.Model.ShortcutPad != "sides" || c.Train.Batch != 128 || c.Train.Optimizer.Momentum != 0.9 ||
		c.Train.Optimizer.WeightDecay != 1e-4 || c.Train.Schedule.Rate != 0.1 {
		t.Errorf("%+v", c)
	}
}
