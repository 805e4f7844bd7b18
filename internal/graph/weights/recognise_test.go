package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"
)

// table is a file of TensorFlow's tables: anything, and their last eight bytes.
var table = strings.Repeat("variables ", 10) + "\x57\xfb\x80\x8b\x24\x75\x47\xdb"

// others are files that are no weights which can be read, with what is said of them.
var others = []struct{ name, content, want string }{
	{"a pointer of Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 12345\n", "pointer of Git LFS, which stands for the file of 12345 bytes: fetch that with `git lfs"},
	{"a web page", "\n <!DOCTYPE HTML><html><title>Sign in</title></html>", "a web page (HTML)"},
	{"a web page without a type", "<html>\n<head>404</head>", "a web page (HTML)"},
	{"an error of a store", `<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`, "it is XML"},
	{"an error as text", "Entry not found", `text, which begins with "Entry not found"`},
	{"nothing", "", "it is empty"},
	{"zeros", strings.Repeat("\x00", 4096), "its bytes are zero"},
	{"Torch7", "\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1\x0d\x00\x00\x00nn.Sequential", "a file of Torch7"},
	{"Torch7 as text", "4\n1\n3\nV 1\n13\nnn.Sequential\n", "a file of Torch7 as text"},
	{"ONNX", "\x08\x08\x12\x07pytorch\x1a\x062.15.0:\x04\x0a\x02ab", "a model of ONNX"},
	{"ONNX without a producer", "\x08\x07\x3a\x20\x0a\x04node" + strings.Repeat("x", 30), "a model of ONNX"},
	{"TensorFlow", table, "a checkpoint of TensorFlow"},
	{"TensorFlow Lite", "\x1c\x00\x00\x00TFL3\x14\x00\x20\x00", "TensorFlow Lite"},
	{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abcdefgh", "an archive of gzip: unpack it"},
	{"tar", "resnet.pth" + strings.Repeat("\x00", 247) + "ustar\x00" + "00" + strings.Repeat("\x00", 500), "an archive of tar"},
	{"an array of NumPy", "\x93NUMPY\x01\x00v\x00{'descr': '<f4'}", "one array of NumPy"},
	{"a picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a picture (PNG)"},
	{"a configuration", `{"model_type": "resnet"}`, "text (JSON)"},
	{"a description of Caffe", "name: \"ResNet\"\ninput_dim: 1\nlayer {\n}\n", "its weights are in the .caffemodel"},
	{"an old pointer of Git LFS", "version https://hawser.github.com/spec/v1\noid sha256:01\nsize 7\n", "file of 7 bytes"},
	{"a web page behind a comment", "<!-- saved -->\n<html>", "a web page (HTML)"},
	{"a graph of TensorFlow", "\x0a\x1c\x0a\x05input\x12\x0bPlaceholder" + strings.Repeat("\x00", 40), "a graph of TensorFlow"},
	{"another pickle", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00}.", "a pickle that torch.save did not write: load it in Python"},
	{"MXNet", "\x12\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "weights of MXNet"},
	{"MATLAB", "MATLAB 5.0 MAT-file, Platform: GLNXA64" + strings.Repeat(" ", 90), "a file of MATLAB"},
}

func TestOtherFilesAreNamedWithARemedy(t *testing.T) {
	for _, c := range others {
		_, err := openForeign(strings.NewReader(c.content), int64(len(c.content)), "x.pth")
		if !errors.Is(err, ErrNotWeights) || !strings.Contains(err.Error(), "x.pth: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
	for name, c := range map[string]struct{ member, want string }{
		"arrays of NumPy": {"conv1.weight.npy", "arrays of NumPy (.npz): make safetensors"},
		"Keras":           {"model.weights.h5", "a model of Keras"},
		"a zip of weights": {
			"folder/resnet18.pth", "a zip archive with folder/resnet18.pth in it: unpack it",
		},
		"a SavedModel": {"saved/saved_model.pb", "a SavedModel of TensorFlow"},
	} {
		b := zipped(t, map[string]string{c.member: "x"}, zip.Deflate)
		if _, err := openForeign(bytes.NewReader(b), int64(len(b)), "x.zip"); !errors.Is(err, ErrNotWeights) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// What reads safetensors alone, as eval does, says the same.
func TestReadersOfCheckpointsNameOtherFilesToo(t *testing.T) {
	for _, c := range others[:5] {
		if _, err := New(strings.NewReader(c.content), int64(len(c.content)), "x"); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

// Weights are never taken for something else: those of every reader begin as they may.
func TestWeightsAreNotTakenForOtherFiles(t *testing.T) {
	for _, path := range []string{
		torchFixtures + "tiny.pth", torchFixtures + "tiny-legacy.pth", torchFixtures + "tiny.safetensors",
		foreignFixtures + "residual.caffemodel", foreignFixtures + "vgg.caffemodel", foreignFixtures + "best.nnet",
	} {
		f, err := OpenForeign(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		f.Close()
	}
}
