// Package internal_test holds the packages to the direction of their imports.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rules say what the files under a folder may import: of our own packages what mine matches
// (paths below the module), of others anything that not does not match. The first rule whose
// folder holds a file applies. The reason is shown when a file breaks it.
var rules = []struct{ folder, mine, not, reason string }{
	{"internal/filelock", `^$`, `gorgonia`, "a lock is the operating system's"},
	{"internal/folderlock", `^internal/(atomicfile|filelock|text)$`, `gorgonia`, "who has a folder does not depend on what is done there"},
	{"internal/atomicfile", `^internal/(atomicfile|filelock)$`, `gorgonia`, "files are bytes under names; what they hold is decided by whoever writes them"},
	{"internal/pickle", `^$`, `gorgonia`, "a pickle is values, whatever they are of; nothing of it is run"},
	{"internal/input", `^$`, `gorgonia`, "what a path stands for does not depend on what is read from it"},
	{"internal/fielderr", `^$`, `.*\..*/`, "every section of the configuration returns it"},
	{"internal/graph/kernel", `^internal/graph/kernel(/|$)`, `gorgonia`, "kernels are loops over []float32 that know no graphs, so that they can be tested and measured alone"},
	{"internal/graph", `^internal/(pickle$|graph(/|$))`, ``, "operators and schedules serve any net; what a net looks like is decided above them"},
	{"internal/blocks/drawing", `^internal/blocks$`, `gorgonia`, "a drawing is made of the list of layers, so that it shows what is trained"},
	{"internal/blocks", `^internal/(fielderr|graph|text)$`, `gorgonia\.org/gorgonia$`, "a block is drawn with the Builder alone, so that it cannot depend on how it is run"},
	{"internal/text", `^$`, `gorgonia`, "how values are written for people depends on nothing but the values"},
	{"internal/datasets/fault", `^internal/fielderr$`, `gorgonia`, "the kinds of failure stand below whatever reads"},
	{"internal/datasets/jpeg", `^$`, `gorgonia|^image`, "a picture is what the bytes of its file say, and other decoders say otherwise"},
	{"internal/datasets/pixel", `^$`, `gorgonia|^image`, "operations on bytes that know no files and no seeds can be held to another program's bytes"},
	{"internal/datasets/parquet", `^internal/datasets/fault$`, `gorgonia`, "a table's rows are bytes and numbers; that they are pictures is decided above"},
	{"internal/datasets/speech/audio", `^internal/datasets/fault$`, `gorgonia`, "a recording is samples; what becomes of them is decided above"},
	{"internal/datasets/speech/kaldi", `^internal/(atomicfile|folderlock|datasets/fault)$`, `gorgonia`, "archives hold matrices, whatever those mean"},
	{"internal/datasets/speech/htk", `^internal/datasets/fault$`, `gorgonia`, "feature files hold matrices, whatever those mean"},
	{"internal/datasets/speech/labels", `^internal/datasets/(fault|speech/kaldi)$`, `gorgonia`, "labels are names and times, whatever sound they are of"},
	{"internal/datasets/speech/recording", `^internal/datasets/(fault|speech/(audio|kaldi))$`, `gorgonia`, "where sound is; what is computed of it is decided above"},
	{"internal/datasets/speech/extract", `^internal/datasets/(fault|speech|speech/recording)$`, `gorgonia`, "features are computed alike for archives and for training; neither is known here"},
	{"internal/datasets/speech/inspect", `^internal/datasets/(fault|speech/[a-z]+)$`, `gorgonia`, "what is in a file depends on the file alone"},
	{"internal/datasets", `^internal/((atomicfile|folderlock|fielderr|pickle|text)$|datasets(/|$))`, `gorgonia`, "images come from files and seeds; nothing about networks may change them"},
	{"internal/eval/onnx", `^internal/(blocks|graph)$`, `gorgonia`, "a model for another program is the table of layers and their tensors; how either was measured is not known here"},
	{"internal/eval/report", `^internal/(eval|datasets|text|atomicfile)$`, `gorgonia`, "curves, findings and pages are made of figures: whatever network and training they are from"},
	{"internal/eval", `^internal/(atomicfile|fielderr|text|eval|blocks|datasets|graph|graph/weights)$`, `gorgonia`, "a figure must not depend on how a network was trained: eval never imports train"},
	{"internal/serve", `^internal/(eval|text)$`, `gorgonia`, "requests and answers know a Classifier, not how it is made"},
	{"internal/train/collective", `^internal/(fielderr|train/collective)$`, `gorgonia`, "processes exchange values and bytes, whatever they are of"},
	{"internal/train", `^internal/((atomicfile|folderlock|fielderr|system|text)$|(train|eval|blocks|datasets|graph)(/|$))`, `gorgonia`, "the loop sees a Machine, not a graph library"},
	{"internal/system", `^$`, `gorgonia`, "what the machine offers depends on no experiment"},
	{"internal/config", `^(configs|internal/(text|fielderr|blocks|datasets|datasets/speech/corpus|eval|train|train/collective))$`, `gorgonia`, "a configuration is the sections' values; nothing is carried out here"},
	{"internal/experiment", `^internal/`, `gorgonia`, "an experiment puts the packages together and prints nothing"},
	{".", `^internal/(datasets|eval|experiment|graph/weights)$`, `.*\..*/`, "the package for other programs is a thin face over the rooms"},
	{"configs", `^$`, `.*\..*/`, "presets are text; internal/config reads them"},
	{"docs/lesson", `^$`, `.*\..*/`, "figures are text; internal/eval/report reads them"},
	{"cmd/resnet", `.*`, `^reflect$|yaml|gorgonia`, "a command is flags, checks of flags, printing and exit codes: it computes nothing and parses nothing"},
}

// fileless are the folders that read no files; the others may import internal/input, which opens
// them.
var fileless = []string{"internal/fielderr", "internal/graph/kernel", "internal/pickle", "internal/text"}

// command holds the packages of the user's terminal, which only cmd/resnet may know. viper, which
// merges the sources of a configuration, belongs to internal/config.
var command = regexp.MustCompile(`^github\.com/(spf13/(cobra|pflag)|schollz/progressbar)|^golang\.org/x/term$`)

// process holds what only cmd/resnet may use: the rest is given a context, writers and hooks.
var process = regexp.MustCompile(`^(fmt\.Print(f|ln)?|os\.(Stdin|Stdout|Stderr|Exit|Getenv|LookupEnv|Environ)|log\.(Print|Fatal|Panic)(f|ln)?)$`)

// isProgram tells the one other program, which makes the embedded images.
func isProgram(file string) bool {
	return strings.HasPrefix(file, "cmd/resnet/") || strings.HasPrefix(file, "internal/datasets/sample/make/")
}

func TestPackagesImportDownwardsOnly(t *testing.T) {
	for file, tree := range sources(t) {
		i := slices.IndexFunc(rules, func(r struct{ folder, mine, not, reason string }) bool {
			return strings.HasPrefix(file, r.folder+"/") || r.folder == "." && !strings.Contains(file, "/")
		})
		if i < 0 {
			t.Errorf("%s: no rule for this folder: add one with its reason", file)
			continue
		}
		r := rules[i]
		mine, not := regexp.MustCompile(r.mine), regexp.MustCompile(r.not)
		for _, spec := range tree.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if own, ok := strings.CutPrefix(name, "resnet/"); ok {
				if own == "internal/input" && !slices.Contains(fileless, r.folder) {
					continue
				}
				if !mine.MatchString(own) {
					t.Errorf("%s imports %s: %s", file, name, r.reason)
				}
			} else if r.not != "" && not.MatchString(name) {
				t.Errorf("%s imports %s: %s", file, name, r.reason)
			}
			if name == "github.com/spf13/viper" && !strings.HasPrefix(file, "internal/config/") {
				t.Errorf("%s imports %s: only internal/config merges configurations", file, name)
			}
			if command.MatchString(name) && !isProgram(file) {
				t.Errorf("%s imports %s: only cmd/resnet speaks to the terminal", file, name)
			}
		}
	}
}

func TestOnlyTheCommandPrintsReadsTheEnvironmentAndExits(t *testing.T) {
	for file, tree := range sources(t) {
		// What traces a test starts the test's own program again, with its environment.
		if isProgram(file) || strings.HasPrefix(file, "internal/atomicfile/atomicfiletest/trace") {
			continue
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := s.X.(*ast.Ident); ok && process.MatchString(pkg.Name+"."+s.Sel.Name) {
					t.Errorf("%s uses %s.%s: only cmd/resnet prints, reads the environment and ends the process", file, pkg.Name, s.Sel.Name)
				}
			}
			return true
		})
	}
}

// writes holds the functions that put contents or names on a disk.
var writes = regexp.MustCompile(`^(os\.(Create|CreateTemp|WriteFile|OpenFile|Rename|Link|Symlink|Truncate)|input\.OpenFile)$`)

// TestFilesAreWrittenByAtomicfile: a file is complete or absent, whoever writes it. A lock is no
// content, and the embedded images are made by their maintainer. Archives are unpacked through an
// os.Root, whose names an archive cannot lead elsewhere.
func TestFilesAreWrittenByAtomicfile(t *testing.T) {
	for file, tree := range sources(t) {
		if strings.HasPrefix(file, "internal/atomicfile/") || strings.HasPrefix(file, "internal/input/") || file == "internal/folderlock/lock.go" || strings.HasPrefix(file, "internal/datasets/sample/make/") {
			continue
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := s.X.(*ast.Ident); ok && writes.MatchString(pkg.Name+"."+s.Sel.Name) {
					t.Errorf("%s uses %s.%s: files are written by internal/atomicfile", file, pkg.Name, s.Sel.Name)
				}
			}
			return true
		})
	}
}

// opens holds the functions of package os that open files for reading.
var opens = regexp.MustCompile(`^os\.(Open|OpenFile|ReadFile|OpenInRoot|DirFS)$`)

// TestFilesAreOpenedByInput: what is opened is looked at first. A folder is opened to sync it, the
// embedded images are made by their maintainer, and a tracer and a rank of MPI read /proc.
func TestFilesAreOpenedByInput(t *testing.T) {
	for file, tree := range sources(t) {
		if strings.HasPrefix(file, "internal/input/") || file == "internal/atomicfile/fs_unix.go" || strings.HasPrefix(file, "internal/datasets/sample/make/") ||
			strings.HasPrefix(file, "internal/atomicfile/atomicfiletest/trace") || file == "internal/train/collective/mpi/launcher_linux.go" {
			continue
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				if n.Path.Value == `"io/ioutil"` {
					t.Errorf("%s imports %s: files are opened by internal/input", file, n.Path.Value)
				}
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && opens.MatchString(pkg.Name+"."+n.Sel.Name) {
					t.Errorf("%s uses %s.%s: files are opened by internal/input", file, pkg.Name, n.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestOnlyFetchingAndServingUseTheNetwork: no telemetry, no look for updates. The ranks of a
// training by MPI, in resnet-mpi alone, hold connections to each other.
func TestOnlyFetchingAndServingUseTheNetwork(t *testing.T) {
	for file, tree := range sources(t) {
		for _, spec := range tree.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if (name == "net" || strings.HasPrefix(name, "net/http")) && !strings.HasPrefix(file, "internal/datasets/") && !strings.HasPrefix(file, "internal/serve/") &&
				file != "internal/train/collective/mpi/lifeline.go" {
				t.Errorf("%s imports %s: only data fetch, serve and the ranks of MPI use the network", file, name)
			}
		}
	}
}

// sources parses every Go file that is not a test's, for all platforms; keys are paths below the
// module.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, top := range []string{"cmd", "configs", "docs", "internal", "resnet.go"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(p string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			// Generators have a module of their own.
			case d.IsDir() && strings.HasPrefix(d.Name(), "_"):
				return filepath.SkipDir
			case d.IsDir() || path.Ext(p) != ".go" || strings.HasSuffix(p, "_test.go"):
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
			files[strings.TrimPrefix(filepath.ToSlash(p), "../")] = f
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 100 {
		t.Fatalf("only %d files found: is the folder right?", len(files))
	}
	return files
}
