// Package datasets reads labelled images, prepares them for training and fetches the public sets.
//
// Letters: N images in a batch, C channels, H×W pixels; images are [C, H, W], row-major, a byte a
// value until a Normalizer makes them floats.
//
//	Config ── Open ──> Dataset ── FitNormalizer ──> Normalizer
//	                      │                             │
//	                      └────────── Loader <──────────┘
//	                                    └─ Next ──> Batch [N, C, H, W]
//
// The sets whose images are small (CIFAR-10 and -100, MNIST, Fashion-MNIST, the embedded sample)
// are held in memory as bytes; images of a folder are decoded when they are asked for. The package
// imports no other of ours and prints nothing.
//
// # Where the files are looked for
//
//   - cifar10, cifar100: the official .bin files in data.dir or in the archive's folder inside it
//     (cifar-10-batches-bin, cifar-100-binary), or those of the archive for Python
//     (cifar-10-batches-py, cifar-100-python), of which nothing is run;
//   - mnist, fashion-mnist: the four IDX files, plain or gzip, in data.dir, data.dir/raw or
//     data.dir/MNIST/raw (FashionMNIST/raw), as torchvision keeps them;
//   - folder: see the type folder in folder.go, or the command's help: train/CLASS/*.png,
//     test/CLASS/*.png.
//
// Without data.dir that is resnet/data/NAME in the user's cache folder, where Fetch puts them.
// Fashion-MNIST without data.dir is also taken from /usr/share/datasets/fashion-mnist, where
// Debian's package dataset-fashion-mnist installs it.
//
// # Errors
//
// Whatever is wrong with the files of an array set is reported by Open, before any work, with file,
// record and byte offset; of a folder, Open checks every file's header, and an image that turns out
// damaged when decoded is an error of Image or Loader.Next that names it. errors.Is tells
// ErrMissing, ErrData and ErrConfig apart. Sizes that a file claims are never allocated: they are
// compared with what is expected, or with what the file can hold.
//
// # Why digests are not checked by Open
//
// A converted or re-encoded copy in the right layout is useful, and reading 180 MB twice is not.
// Fetch and Verify check digests.
//
// # Why random numbers are counter-based
//
// The order of an epoch is drawn from (seed, epoch), a sample's crop and flip from (seed, epoch,
// index). There is no state to save: any number of workers and any point of resuming give the same
// bytes.
//
// # How to add a data set
//
//  1. Write a source in a file of its own. If its images fit into memory, fill an array (cifar.go
//     and idx.go are the examples); check sizes, counts and labels there, with errors from faultf
//     that name file, record and offset.
//  2. Give it an entry in registry.go: title, open, verify, and either what to fetch, with pinned
//     digests, or why there is nothing.
//  3. Name it in the doc tag of Config.Name.
//  4. Pass datasetstest.Run, and add a fuzz target if it has a parser of its own.
package datasets
