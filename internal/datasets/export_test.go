package datasets

import "context"

// SmallCIFAR is the layout of a CIFAR set with few records, for tests from outside the package.
type SmallCIFAR = cifarLayout

// NewSmallCIFAR gives each file of the official layout so many records.
func NewSmallCIFAR(hundred bool, perFile int) SmallCIFAR {
	l := cifar10
	if hundred {
		l = cifar100
	}
	small := func(files []recordFile) (out []recordFile) {
		for _, f := range files {
			out = append(out, recordFile{f.name, perFile, f.digest})
		}
		return out
	}
	l.train, l.test = small(l.train), small(l.test)
	return l
}

// OpenSmallCIFAR opens a folder in that layout.
func OpenSmallCIFAR(l SmallCIFAR, c Config, seed uint64) (*Dataset, error) {
	src, err := l.open(context.Background(), c)
	if err != nil {
		return nil, err
	}
	return newDataset(c, "", src, seed)
}

// OpenSmallIDX opens a folder of IDX files with so few images of size×size pixels.
func OpenSmallIDX(train, test, size int, c Config, seed uint64) (*Dataset, error) {
	l := fashionMNIST
	l.size, l.system = size, ""
	for i := range l.files {
		l.files[i].count = train
		if i >= idxTestImages {
			l.files[i].count = test
		}
	}
	src, err := l.open(context.Background(), c)
	if err != nil {
		return nil, err
	}
	return newDataset(c, "", src, seed)
}

// VerifySmallCIFAR verifies a folder in that layout.
func VerifySmallCIFAR(l SmallCIFAR, dir string) ([]FileReport, error) {
	return l.verify(context.Background(), dir)
}
