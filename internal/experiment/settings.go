package experiment

import (
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval/report"
	"resnet/internal/train"
)

// tellData gives runs whose data are not the same files the setting which they are: a converted
// copy goes under the name of the published data set in a configuration.
func tellData(runs []report.Compared) {
	const key = "data.name"
	names := map[string]bool{}
	for _, r := range runs {
		if r.Net.Dataset != "" { // a folder without configuration
			names[r.Net.Dataset] = true
		}
	}
	for i := range runs {
		n := &runs[i].Net
		if len(names) < 2 || n.Dataset == "" {
			continue
		}
		s := slices.DeleteFunc(slices.Clone(n.Settings), func(s report.Setting) bool { return s.Key == key })
		n.Settings = append(s, report.Setting{Key: key, Value: n.Dataset})
		sortSettings(n.Settings)
	}
}

func sortSettings(s []report.Setting) {
	slices.SortFunc(s, func(a, b report.Setting) int { return strings.Compare(a.Key, b.Key) })
}

// notSettings are keys that name the network or the run and not how it was trained.
var notSettings = []string{"model.name", "model.family", "model.depth", "model.residual", "train.seed"}

// tellSettings gives runs the settings in which they differ. A network is called by a name without
// what they say.
func tellSettings(list []report.Compared, configs []*config.Loaded) {
	for i, told := range settings(configs) {
		n := &list[i].Net
		n.Settings = told
		var keys []string
		for _, s := range told {
			keys = append(keys, s.Key)
		}
		if s, err := blocks.Lookup(n.Model); err == nil {
			n.Network = s.NetworkName(keys...)
		}
	}
	tellData(list)
}

// settings gives each configuration its values of the keys in which they differ, sorted by key: of
// those that change results. One that is nil has none. A folder belongs to them where it is what
// names the images.
func settings(configs []*config.Loaded) [][]report.Setting {
	list := make([][]report.Setting, len(configs))
	first := slices.IndexFunc(configs, func(l *config.Loaded) bool { return l != nil })
	if first < 0 {
		return list
	}
	own := map[string][]string{} // values by key, of the configurations that differ from the first
	for i, l := range configs {
		if l == nil {
			continue
		}
		for _, c := range train.DiffConfig(config.Values(&configs[first].Config), config.Values(&l.Config)) {
			named := c.Key == "data.dir" && datasets.TestImages(l.Data.Name) == 0
			if c.Safety == train.Always && !named || slices.Contains(notSettings, c.Key) {
				continue
			}
			if own[c.Key] == nil {
				own[c.Key] = slices.Repeat([]string{c.Old}, len(configs))
			}
			own[c.Key][i] = c.New
		}
	}
	for key, values := range own {
		for i, v := range values {
			if configs[i] != nil {
				list[i] = append(list[i], report.Setting{Key: key, Value: v})
			}
		}
	}
	for _, s := range list {
		sortSettings(s)
	}
	return list
}
