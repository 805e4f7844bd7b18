// Package weights reads and writes the named tensors of a model as safetensors, and moves them to
// and from a graph.ParamSet. It reads the files of other programs besides: see ReadForeign.
//
// Names and layouts are torchvision's (convolutions [K, C, R, S], fully connected [K, C]; K out
// channels, C in channels, R×S kernel), so that a file written here loads with
// safetensors.torch.load_file and load_state_dict, and theirs loads here. The string metadata of
// our files carries what a bare state dict lacks: see Meta.
//
// # Errors
//
// Every error names the file and, where there is one, the tensor. ErrFormat marks a file that is
// not valid safetensors, ErrTorch, ErrCaffe and ErrHDF5 those of other programs, ErrMismatch
// tensors that do not fit the model, ErrVersion metadata of a later format, ErrNoMeta metadata that
// is not ours. No input makes the package panic, and nothing is allocated by a size that has not
// been checked against the file's.
//
// # Why an own reader
//
// A header is text under the control of whoever made the file. Decoding it into Go maps with
// encoding/json would accept duplicate names (the last one wins, in another reader the first),
// nested values and numbers with fractions. The grammar needed is small, so the parser here accepts
// exactly that and nothing else.
//
// # Why num_batches_tracked is not written
//
// PyTorch counts batches in an I64 scalar for each batch normalisation, and uses it only when
// momentum is None. Its loader supplies a missing one, even when strict, for a state dict without
// version metadata, as one from safetensors is. So our files leave it out; a file that has it loads
// here.
package weights
