package main

const (
	files        = "./internal/atomicfile"
	fetching     = "-run Durable|Range|Download|Note ./internal/datasets"
	signals      = "-run TestScripts/signals|Signal|Grace|Stop ./cmd/resnet"
	places       = "-run Surroundings|Home|Removed|Environment|Modes|Launcher ./cmd/resnet"
	parquetPages = "./internal/datasets/parquet"
	parquetSet   = "-run Parquet ./internal/datasets"
	experiment   = "-run Room|Space|Memory ./internal/experiment"
)

// table lists the guards. A text is short and stands in its file once, so that code around it can
// move.
var table = []mutant{
	// What is durable.
	{
		"folders are not synced", "internal/atomicfile/fs_unix.go",
		"err = f.Sync()", "err = nil", files,
	},
	{
		"files are not synced", "internal/atomicfile/fs.go",
		"func (f osFile) Size() (", "func (osFile) Sync() error { return nil }\n\nfunc (f osFile) Size() (", files,
	},
	{
		"an atomic file is not synced", "internal/atomicfile/file.go",
		"err = f.open.Sync()", "err = nil", files,
	},
	{
		"the folder of an atomic file is not synced", "internal/atomicfile/file.go",
		"return f.fail(f.fsys.SyncDir(filepath.Dir(f.target)))", "_ = filepath.Dir\n	return nil", files,
	},
	{
		"new folders are not synced in those above", "internal/atomicfile/fs.go",
		"hold = append(hold, filepath.Dir(at))", "", files,
	},
	{
		"the run's folder is not synced in the one above", "internal/train/checkpoint/store.go",
		"s.fs.SyncDir(filepath.Dir(s.run))", "error(nil)", "-run Durable ./internal/train/checkpoint",
	},
	{
		"a download is not synced", "internal/datasets/download.go",
		"errors.Join(f.Sync(), f.Close())", "f.Close()", fetching,
	},
	{
		"the folder of a download is not synced", "internal/datasets/download.go",
		"err = fsys.SyncDir(filepath.Dir(t.path))", "", fetching,
	},
	{
		"an unpacked file is not synced", "internal/datasets/unpack.go",
		"errors.Join(out.Sync(), out.Close())", "out.Close()", fetching,
	},
	{
		"the folder of an unpacked file is not synced", "internal/datasets/unpack.go",
		"atomicfile.OS.SyncDir(filepath.Join(dir, at)); err != nil || at", "error(nil); err != nil || at", fetching,
	},

	// What is asked before the work.
	{
		"no room is asked for", "internal/experiment/training.go",
		"t.checkSpace(disk, t.Dir, r.params)", "error(nil)", experiment,
	},
	{
		"memory is not asked for before the network is made", "internal/experiment/training.go",
		"t.CheckLeastMemory(t.Memory)", "error(nil)", "-run Fit ./cmd/resnet",
	},
	{
		"memory is not asked for once the network is made", "internal/experiment/training.go",
		"t.memory.check(append(t.data.needs(r.trainer, r.evaluator), t.parameters(all), t.replicaNeed(r))...)", "t.memory.check(append(t.data.needs(r.trainer, r.evaluator), t.parameters(all), t.replicaNeed(r))[:0]...)", "-run AllParts ./internal/experiment",
	},
	{
		"GOMEMLIMIT is not asked", "internal/system/memory.go",
		"debug.SetMemoryLimit(-1)", "max(debug.SetMemoryLimit(-1), unlimited)", "./internal/system",
	},
	{
		"room is asked for one checkpoint", "internal/experiment/memory.go",
		"need, and := 2*(", "need, and := 1*(", experiment,
	},

	// Signals, pipes.
	{
		"a closed pipe is an error", "cmd/resnet/signals.go",
		"a.out, a.err = &muteWriter{", "_, _ = &muteWriter{", signals,
	},
	{
		"--grace is forgotten", "cmd/resnet/cmd_train.go",
		"o.limits.grace, os.Exit", "time.Hour, os.Exit", signals,
	},
	{
		"SIGUSR1 is ignored", "cmd/resnet/signals.go",
		"w.control.SaveNow()", "", signals,
	},
	{
		"SIGHUP stops", "cmd/resnet/signals.go",
		"case status == 0: // SIGHUP, SIGPIPE", "case false:", signals,
	},

	// What comes in.
	{
		"the directory of a zip has no bound", "internal/graph/weights/torchfile.go",
		"const maxZipDirectory = 16 << 20", "const maxZipDirectory = 16 << 30", "-run Directory ./internal/graph/weights",
	},
	{
		"the directory of a zip may be elsewhere", "internal/graph/weights/torchfile.go",
		"offset > end || end-offset != directory", "false", "-run Directory ./internal/graph/weights",
	},
	{
		"silence of a FLAC: a thousand times as much of any file", "internal/datasets/speech/audio/flac.go",
		"flacFree    = 1 << 20", "flacFree    = 1000 << 20", "-run Bound ./internal/datasets/speech/audio",
	},
	{
		"silence of a FLAC: a thousand times as much of a byte", "internal/datasets/speech/audio/flac.go",
		"flacPerByte = 1024", "flacPerByte = 1024_000", "-run Bound ./internal/datasets/speech/audio",
	},
	{
		"a WAV may have a thousand times as many channels", "internal/datasets/speech/audio/samples.go",
		"maxChannels = 256", "maxChannels = 256_000", "-run Bound ./internal/datasets/speech/audio",
	},
	{
		"a recording in gzip may unpack a byte to a thousand times as much", "internal/datasets/speech/audio/formats.go",
		"unpackedRate = 100\n", "unpackedRate = 100_000\n", "-run Bound ./internal/datasets/speech/audio",
	},
	{
		"the filter of a resampler has no bound", "internal/datasets/speech/audio/resample.go",
		"maxCoefficients = 1 << 22", "maxCoefficients = 1 << 40", "-run RatesThatAreNone ./internal/datasets/speech/audio",
	},
	{
		"a SPHERE header may have a thousand times as many bytes", "internal/datasets/speech/audio/sphere.go",
		"sphereMost = 1 << 16", "sphereMost = 1 << 31", "-run RecordingsThatLie ./internal/datasets/speech/audio",
	},
	{
		"commands of a wav.scp may have what a shell replaces", "internal/datasets/speech/recording/command.go",
		"return nil, false\n\t\tcase quote == 0 && (c == '\\'' ||", "\n\t\tcase quote == 0 && (c == '\\'' ||", "-run MayDoMore ./internal/datasets/speech/recording",
	},
	{
		"a gzip of Kaldi's may unpack to a thousand times as much", "internal/datasets/speech/kaldi/open.go",
		"unpackedFree = 16 << 20", "unpackedFree = 16_000 << 20", "-run Bomb ./internal/datasets/speech/kaldi",
	},
	{
		"a gzip of Kaldi's may unpack a byte to a thousand times as much", "internal/datasets/speech/kaldi/open.go",
		"unpackedRate = 100", "unpackedRate = 100_000", "-run Bomb ./internal/datasets/speech/kaldi",
	},
	{
		"an archive may unpack to a thousand times as much", "internal/datasets/unpack.go",
		"budget := int64(16 << 20)", "budget := int64(16_000 << 20)", "-run Bomb ./internal/datasets",
	},
	{
		"an archive may have a thousand times as many entries", "internal/datasets/unpack.go",
		"maxEntries = 1000", "maxEntries = 1000_000", "-run Bomb ./internal/datasets",
	},
	{
		"a partial answer may be of another version", "internal/datasets/transport.go",
		`validator != "" && validator != t.state.ETag`, "false", fetching,
	},
	{
		"a range may begin behind the end", "internal/datasets/transport.go",
		"err != nil || total <= first", "err != nil", fetching,
	},
	{
		"a note of a download is trusted", "internal/datasets/download.go",
		"strings.ContainsFunc(t.state.ETag, unicode", `strings.ContainsFunc("", unicode`, "-run Note ./internal/datasets",
	},
	{
		"members are put where links lead", "internal/datasets/unpack.go",
		"	if err := root.MkdirAll(filepath.Dir(to), 0o755); err != nil {\n		return err\n	}\n	if err := root.Rename(from, to); err != nil {",
		"	if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(to)), 0o755); err != nil {\n		return err\n	}\n	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {",
		"-run Unpack ./internal/datasets",
	},

	// What goes out.
	{
		"env.json holds the environment", "internal/experiment/training.go",
		"Command: t.env.Command,", "Command: append(t.env.Command, os.Environ()...),", places,
	},
	{
		"files may be written by everybody", "internal/atomicfile/fs.go",
		"Perm fs.FileMode = 0o644", "Perm fs.FileMode = 0o666", files,
	},
	{
		"fetch does not say what to do without a home", "internal/datasets/fetch.go",
		": name another one with --dir", "", places,
	},

	// What a Parquet file claims.
	{
		"the checksum of a Parquet page is not compared", "internal/datasets/parquet/page.go",
		"crc32.ChecksumIEEE(stored) != uint32(p.crc)", "crc32.ChecksumIEEE(stored) == 0", parquetSet,
	},
	{
		"places in a Parquet dictionary have no bound", "internal/datasets/parquet/page.go",
		"if v >= uint32(size) {", "if v > 1<<31 {", parquetPages,
	},
	{
		"the length of a Parquet value has no bound", "internal/datasets/parquet/page.go",
		"if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4) {", "if len(data) < 4 {", parquetPages,
	},
	{
		"Parquet pages claim what they cannot hold", "internal/datasets/parquet/file.go",
		"int64(p.full) > 64+int64(p.size)*ratio", "int64(p.full) < 0*ratio", parquetPages,
	},
	{
		"lists of Thrift are made before they are read", "internal/datasets/parquet/thrift.go",
		"if n > uint64(maxThriftItems-s.items) {", "if n > 1<<62 {", parquetPages,
	},
	{
		"a page of Parquet has more rows than its group", "internal/datasets/parquet/file.go",
		"int64(p.values) > group.NumRows-row && head.Type != format.DictionaryPage", "false", parquetPages,
	},
	{
		"the pages that are kept have no bound", "internal/datasets/parquet/images.go",
		"c.bytes > c.most;", "false;", parquetPages,
	},
	{
		"a missing part of a Parquet set is passed over", "internal/datasets/parquet.go",
		"err != nil || n != want", "err != nil || n > want", parquetSet,
	},
	{
		"large Parquet files have no digest", "internal/datasets/parquet.go",
		"f.Digest(h, min(MaxContents/max(pages, 1), maxSample))", "f.Digest(h, 0*(MaxContents/max(pages, 1)))", parquetSet,
	},
	{
		"images of Parquet that are null are read", "internal/datasets/parquet.go",
		"case data == nil:", "case data == nil && i < 0:", parquetSet,
	},
}
