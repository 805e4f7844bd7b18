package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"resnet/internal/pickle"
)

// ErrNotWeights marks a file that is something else than weights, or weights of a program whose
// files are not read.
var ErrNotWeights = errors.New("not a file of weights that can be read")

// otherFile is what a file is that no reader here takes, and what to do instead. The text is a
// sentence without a full stop.
type otherFile struct{ what, remedy string }

func (f *otherFile) Error() string {
	if f.remedy == "" {
		return "it is " + f.what
	}
	return "it is " + f.what + ": " + f.remedy
}

func (*otherFile) kind() error { return ErrNotWeights }

const (
	downloadRemedy = "download the file itself again, and compare its size with the one that the page shows"
	kerasRemedy    = "weights of Keras and others are saved anew from Python, tensor by tensor, with safetensors.numpy.save_file"
	onnxRemedy     = "import the weights that it was made of (.pth or .safetensors), or take them out in Python: onnx.numpy_helper.to_array of each of model.graph.initializer, saved with safetensors.numpy.save_file"
	torch7Remedy   = "read it in Python (package torchfile) and save its tensors with torch.save under torchvision's names; the ResNets of facebook/fb.resnet.torch are torchvision's and timm's in PyTorch: `resnet weights fetch`"
	unpackRemedy   = "unpack it, and import the file of weights in it"
)

// TensorFlowRemedy is what to do with a checkpoint or a SavedModel of TensorFlow.
const TensorFlowRemedy = "read it in Python with tf.train.load_checkpoint and save its variables with safetensors.numpy.save_file under torchvision's names"

// lfsSize is the size that a pointer of Git LFS gives.
var lfsSize = regexp.MustCompile(`\nsize (\d{1,18})\n`)

// prefixes are the first bytes of files that are something else.
var prefixes = []struct {
	magic string
	otherFile
}{
	{"\x1f\x8b", otherFile{"an archive of gzip", unpackRemedy}},
	{"BZh", otherFile{"an archive of bzip2", unpackRemedy}},
	{"\xfd7zXZ\x00", otherFile{"an archive of xz", unpackRemedy}},
	{"\x28\xb5\x2f\xfd", otherFile{"an archive of zstd", unpackRemedy}},
	{"7z\xbc\xaf\x27\x1c", otherFile{"an archive of 7-Zip", unpackRemedy}},
	{"Rar!\x1a\x07", otherFile{"an archive of RAR", unpackRemedy}},
	{"\x93NUMPY", otherFile{"one array of NumPy (.npy)", "a network is many by name: safetensors.numpy.save_file writes them"}},
	{"GGUF", otherFile{"a model of llama.cpp (GGUF)", "no residual network is in this format"}},
	{"\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1", otherFile{"a file of Torch7 (.t7)", torch7Remedy}},
	{"4\n1\n3\nV 1\n", otherFile{"a file of Torch7 as text (.t7)", torch7Remedy}},
	{"\x12\x01\x00\x00\x00\x00\x00\x00", otherFile{"weights of MXNet (.params)", "read it in Python with mxnet.nd.load and save its arrays with safetensors.numpy.save_file under torchvision's names"}},
	{"\x89PNG\r\n", otherFile{"a picture (PNG)", ""}},
	{"\xff\xd8\xff", otherFile{"a picture (JPEG)", ""}},
	{"%PDF-", otherFile{"a document (PDF)", ""}},
	{"\x7fELF", otherFile{"a program", ""}},
	{"MATLAB 5.0 MAT-file", otherFile{"a file of MATLAB (.mat)", "read it in Python with scipy.io.loadmat and save its arrays with safetensors.numpy.save_file under torchvision's names"}},
}

// tableMagic ends the tables in which TensorFlow keeps checkpoints (.ckpt of version 1, .index of
// version 2).
const tableMagic = 0xdb4775248b80fb57

// recognise says what a file is that is no safetensors, no zip of torch.save, none of its legacy
// format and no network of Caffe; nil where it is not known. It reads a few kilobytes.
func recognise(r io.ReaderAt, size int64) *otherFile {
	if size == 0 {
		return &otherFile{"empty", downloadRemedy}
	}
	head := make([]byte, min(size, 1024))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		_ = err // whoever reads the file says it
		return nil
	}
	for _, p := range prefixes {
		if bytes.HasPrefix(head, []byte(p.magic)) {
			return &p.otherFile
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("version https://")) && bytes.Contains(head, []byte("\noid sha")):
		what := "a pointer of Git LFS, which stands for the file"
		if m := lfsSize.FindSubmatch(head); m != nil {
			what += fmt.Sprintf(" of %s bytes", m[1])
		}
		return &otherFile{what, "fetch that with `git lfs install` and `git lfs pull` in the repository, or download it from the page of the repository"}
	case len(head) >= 8 && string(head[4:8]) == "TFL3":
		return &otherFile{"a model of TensorFlow Lite", kerasRemedy}
	case len(head) >= 263 && (string(head[257:262]) == "ustar"):
		return &otherFile{"an archive of tar", unpackRemedy + " (a .pth.tar of torch.save is none, whatever its name)"}
	case len(bytes.Trim(head, "\x00")) == 0:
		return &otherFile{"empty: its bytes are zero", downloadRemedy}
	case bytes.HasPrefix(head, []byte("PK")):
		return recogniseZip(r, size)
	case endsAsTable(r, size):
		return &otherFile{"a checkpoint of TensorFlow", TensorFlowRemedy}
	case isONNX(head):
		return &otherFile{"a model of ONNX", onnxRemedy}
	case head[0] == 0x0a && (bytes.Contains(head, []byte("Placeholder")) || bytes.Contains(head, []byte("\x12\x05Const"))):
		return &otherFile{"a graph of TensorFlow (.pb)", TensorFlowRemedy}
	case head[0] == pickle.Proto && !bytes.HasPrefix(head, legacyMagic):
		return &otherFile{"a pickle that torch.save did not write", "load it in Python, where you trust its source, and save the tensors by name with torch.save or safetensors"}
	}
	return recogniseText(head)
}

// recogniseText says which text a file is.
func recogniseText(head []byte) *otherFile {
	for len(head) > 0 && !utf8.Valid(head) && len(head) > 1020 { // cut within a letter
		head = head[:len(head)-1]
	}
	text := strings.TrimLeft(string(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))), " \t\r\n")
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\r\n\f", r) }) {
		return nil
	}
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, "<") && (strings.Contains(lower, "<!doctype html") || strings.Contains(lower, "<html") || strings.Contains(lower, "<head")):
		return &otherFile{"a web page (HTML), as servers send in the place of a file: a login, a warning or an error", downloadRemedy}
	case strings.HasPrefix(lower, "<"):
		return &otherFile{"XML, as servers send in the place of a file", downloadRemedy}
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		return &otherFile{"text (JSON) and holds no weights", "name the file of weights beside it, or the folder of both"}
	case strings.Contains(lower, "layer {") || strings.Contains(lower, "layers {") || strings.Contains(lower, "input_dim:"):
		return &otherFile{"a description of a network of Caffe (.prototxt)", "its weights are in the .caffemodel beside it, which import reads"}
	case text == "":
		return &otherFile{"empty: it holds spaces alone", downloadRemedy}
	}
	line, _, _ := strings.Cut(text, "\n")
	return &otherFile{fmt.Sprintf("text, which begins with %q", line[:min(len(line), 60)]), downloadRemedy}
}

// endsAsTable reports whether the last eight bytes are those of TensorFlow's tables.
func endsAsTable(r io.ReaderAt, size int64) bool {
	var tail [8]byte
	if size < 48 {
		return false
	}
	n, _ := r.ReadAt(tail[:], size-8)
	return n == len(tail) && binary.LittleEndian.Uint64(tail[:]) == tableMagic
}

// isONNX reports whether bytes begin as a ModelProto: the version of the format as field 1, a small
// number, and then the producer's name, a domain, a description, operator sets or the graph.
func isONNX(head []byte) bool {
	if len(head) > 4 && head[2] == 0x12 && head[4] == 0x0a { // Core ML, a message for ONNX's text
		return false
	}
	return len(head) > 3 && head[0] == 0x08 && head[1] < 0x40 && bytes.IndexByte([]byte{0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42}, head[2]) >= 0
}
