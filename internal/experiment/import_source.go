package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/graph/weights"
	"resnet/internal/input"
	"resnet/internal/text"
)

// The names of files on the Hugging Face hub.
const (
	hubConfigFile       = "config.json"
	hubPreprocessorFile = "preprocessor_config.json"
	maxHubFile          = 16 << 20 // bytes; names of 21,000 classes take 1 MB
)

// hubWeights are the names of a network's weights there, the better first.
var hubWeights = []string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}

// source is what a path that is imported stands for.
type source struct {
	path string             // of the file of weights
	hub  *weights.HubConfig // what the files beside it say, or nil
}

// sourceOf finds the weights of a folder, and what Hugging Face's files beside weights say.
func sourceOf(path string) (source, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(path + ".index"); err == nil { // as TensorFlow names its checkpoints
			return source{}, fmt.Errorf("%s: %w: it is a checkpoint of TensorFlow: %s", path, weights.ErrNotWeights, weights.TensorFlowRemedy)
		}
		return source{}, missingf("%s: no such file", path)
	case err != nil:
		return source{}, err
	}
	dir, name := path, ""
	if !info.IsDir() {
		dir, name = filepath.Dir(path), filepath.Base(path)
		if strings.Contains(name, ".data-00000-of-") {
			return source{}, fmt.Errorf("%s: %w: it is part of a checkpoint of TensorFlow: %s", path, weights.ErrNotWeights, weights.TensorFlowRemedy)
		}
		if name != hubConfigFile && !slices.Contains(hubWeights, name) {
			return source{path: path}, nil
		}
	}
	if snapshot := onlySnapshot(dir); snapshot != "" {
		dir = snapshot
	}
	s := source{path: path}
	if info.IsDir() || name == hubConfigFile {
		file, err := weightsIn(dir)
		if err != nil {
			return source{}, err
		}
		s.path = file
	}
	s.hub, err = readHub(dir)
	return s, err
}

// onlySnapshot is the one version of a network in the hub's cache (models--NAME/snapshots/COMMIT),
// or "".
func onlySnapshot(dir string) string {
	versions, err := os.ReadDir(filepath.Join(dir, "snapshots"))
	if err != nil || len(versions) != 1 {
		return ""
	}
	return filepath.Join(dir, "snapshots", versions[0].Name())
}

// maxListed is how many files of a folder a message names.
const maxListed = 5

// weightsIn is the file of weights of a folder as the hub has them. Of another folder it says what
// that is, and which files in it may be meant.
func weightsIn(dir string) (string, error) {
	for _, name := range hubWeights {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var files []string
	bad := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("%s: %w: %w", dir, weights.ErrNotWeights, fmt.Errorf(format, args...))
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "saved_model.pb" || name == "keras_metadata.pb":
			return bad("it is a SavedModel of TensorFlow: %s", weights.TensorFlowRemedy)
		case strings.HasSuffix(name, ".ckpt.index") || name == "checkpoint" && !e.IsDir():
			return bad("it is a folder of checkpoints of TensorFlow: %s", weights.TensorFlowRemedy)
		case name == "tf_model.h5" || name == "flax_model.msgpack":
			return bad("it holds weights of TensorFlow or Flax (%s) alone: download model.safetensors or pytorch_model.bin of the same network", name)
		case name == ".metadata" && !e.IsDir() || strings.HasSuffix(name, ".distcp"):
			return bad("it is a checkpoint in parts of several processes (torch.distributed.checkpoint): make one file of it, python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER FILE.pth")
		case name == "latest" && !e.IsDir() && deepSpeedStep(dir) != "":
			return bad("it is a folder of DeepSpeed: name %s in it; of a training with ZeRO stage 3 make a file by the folder's zero_to_fp32.py first", deepSpeedStep(dir))
		case name == "_METADATA" || name == "manifest.ocdbt" || name == "_CHECKPOINT_METADATA":
			return bad("it is a checkpoint of Flax (Orbax): read it in Python with orbax.checkpoint and save its arrays with safetensors.numpy.save_file under torchvision's names")
		case name == "checkpoints" && e.IsDir():
			return bad("it is a run folder, or one like it: its checkpoints are used as they are, without import")
		case name == "data.pkl":
			return bad("it is an archive of torch.save that was unpacked: import the archive itself, or pack it again (zip -0 -r FILE.pth FOLDER)")
		case !e.IsDir() && weights.IsWeightsName(name):
			files = append(files, text.Printable(name))
		}
	}
	switch len(files) {
	case 0:
		return bad("it is a folder without weights: %s or %s is taken of one, or name a file", hubWeights[0], hubWeights[2])
	case 1:
		return bad("it is a folder: name the file %s in it", files[0])
	}
	more := ""
	if len(files) > maxListed {
		more = ", ..."
	}
	return bad("it is a folder: name one of its files: %s%s", strings.Join(files[:min(len(files), maxListed)], ", "), more)
}

// deepSpeedStep is the file of weights that a folder of DeepSpeed names as its latest, from the
// folder, or "".
func deepSpeedStep(dir string) string {
	b, err := input.Read(filepath.Join(dir, "latest"), 1024)
	if err != nil {
		return ""
	}
	file := filepath.Join(strings.TrimSpace(string(b)), "mp_rank_00_model_states.pt")
	if info, err := os.Stat(filepath.Join(dir, file)); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return text.Printable(file)
}

// readHub reads what Hugging Face's files in a folder say; nil where they describe no network.
func readHub(dir string) (*weights.HubConfig, error) {
	read := func(name string) ([]byte, error) {
		b, err := input.Read(filepath.Join(dir, name), maxHubFile)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return b, err
	}
	b, err := read(hubConfigFile)
	if err != nil || b == nil {
		return nil, err
	}
	c, ok, err := weights.ReadHubConfig(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, hubConfigFile), err)
	}
	if !ok {
		return nil, nil
	}
	if b, err = read(hubPreprocessorFile); err == nil && b != nil {
		if err = c.ReadPreprocessor(b); err != nil {
			err = fmt.Errorf("%s: %w", filepath.Join(dir, hubPreprocessorFile), err)
		}
	}
	return &c, err
}
