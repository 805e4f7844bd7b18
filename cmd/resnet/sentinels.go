package main

import (
	"io/fs"

	"resnet/configs"
	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/folderlock"
	"resnet/internal/graph/weights"
	"resnet/internal/input"
	"resnet/internal/train"
	"resnet/internal/train/adapt"
	"resnet/internal/train/checkpoint"
)

// sentinels gives errors of the packages their exit status, the most specific first.
var sentinels = []struct {
	err    error
	status int
}{
	{configs.ErrTooLarge, exitUsage},
	// A file whose contents would be a mistake in a configuration is a bad file.
	{eval.ErrModel, exitBadData},
	{adapt.ErrFile, exitBadData},
	{adapt.ErrNetwork, exitBadData},
	{checkpoint.ErrCorrupt, exitBadData},
	{weights.ErrFormat, exitBadData},
	{datasets.ErrConfig, exitUsage},
	{blocks.ErrUnknown, exitUsage},
	{train.ErrNonFinite, exitNonFinite},
	{eval.ErrNonFinite, exitNonFinite},
	{adapt.ErrDiverged, exitNonFinite},
	{eval.ErrProtocol, exitUsage},
	{eval.ErrLabel, exitBadData},
	{folderlock.ErrLocked, exitLocked},
	{report.ErrHistory, exitBadData},
	{datasets.ErrMissing, exitMissing},
	{checkpoint.ErrNotFound, exitMissing},
	{datasets.ErrData, exitBadData},
	{checkpoint.ErrVersion, exitBadData},
	{weights.ErrTorch, exitBadData},
	{weights.ErrCaffe, exitBadData},
	{weights.ErrHDF5, exitBadData},
	{weights.ErrNotWeights, exitBadData},
	{weights.ErrMismatch, exitBadData},
	{weights.ErrNoMeta, exitBadData},
	{weights.ErrVersion, exitBadData},
	{atomicfile.ErrIO, exitIO},
	{input.ErrNotRegular, exitBadData},
	{fs.ErrNotExist, exitMissing},
	{fs.ErrPermission, exitIO},
}
