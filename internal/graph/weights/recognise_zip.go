package weights

import (
	"archive/zip"
	"errors"
	"io"
	"path"
	"strings"
)

// recogniseZip says what an archive holds that torch.save did not write; nil for one that it did,
// and for one that cannot be read, which its reader refuses.
func recogniseZip(r io.ReaderAt, size int64) *otherFile {
	if checkZipDirectory(r, size) != nil {
		return nil
	}
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil
	}
	var arrays, weights string
	for _, m := range z.File {
		switch dir, base := path.Split(m.Name); {
		case base == "data.pkl" && strings.Count(dir, "/") <= 1:
			return nil
		case base == "model.weights.h5":
			return &otherFile{"a model of Keras (.keras)", kerasRemedy}
		case base == "saved_model.pb":
			return &otherFile{"an archive of a SavedModel of TensorFlow", TensorFlowRemedy}
		case path.Ext(base) == ".npy":
			arrays = m.Name
		case IsWeightsName(base):
			weights = m.Name
		}
	}
	switch {
	case arrays != "":
		return &otherFile{"arrays of NumPy (.npz)", `make safetensors of it in Python: safetensors.numpy.save_file(dict(numpy.load("FILE.npz")), "FILE.safetensors")`}
	case weights != "":
		return &otherFile{"a zip archive with " + printable(weights) + " in it", unpackRemedy}
	}
	return nil
}

// IsWeightsName reports whether a name is one that files of weights have.
func IsWeightsName(name string) bool {
	switch path.Ext(name) {
	case ".safetensors", ".pth", ".pt", ".ckpt", ".th", ".caffemodel", ".nnet":
		return true
	}
	return name == "pytorch_model.bin" || strings.HasSuffix(name, ".pth.tar")
}

// printable leaves out what is no plain letter of a name that a stranger's archive has.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name[:min(len(name), 80)])
}
