package compare

import (
	"fmt"
	"slices"

	"resnet/internal/text"
)

// A Study is the trainings behind a figure or a table of He et al. 2016.
type Study struct {
	Name   string // fig6
	Title  string
	Table  int // of the paper, beside which the runs are measured at the end; 0 for none
	Images int // training images of the paper's data set
	Nets   []Net
}

// studies are what the paper shows of trainings. The shallow networks come first, so that an
// interrupted study has whole pairs.
var studies = []Study{
	{
		Name: "fig6", Title: "Figure 6: plain networks, residual networks, and 110 layers against 1202, on CIFAR-10", Images: 50_000,
		Nets: []Net{
			{Row: "plain20", Preset: "cifar-plain20"},
			{Row: "resnet20", Preset: "cifar20", Residual: true},
			{Row: "plain32", Preset: "cifar-plain32"},
			{Row: "resnet32", Preset: "cifar32", Residual: true},
			{Row: "plain44", Preset: "cifar-plain44"},
			{Row: "resnet44", Preset: "cifar44", Residual: true},
			{Row: "plain56", Preset: "cifar-plain56"},
			{Row: "resnet56", Preset: "cifar56", Residual: true},
			{Row: "plain110", Preset: "cifar-plain110"},
			{Row: "resnet110", Preset: "cifar110", Residual: true},
			{Row: "resnet1202", Preset: "cifar1202", Residual: true},
		},
	},
	{
		Name: "table2", Title: "Table 2: 18 and 34 layers, plain and residual, on ImageNet", Table: 2, Images: 1_281_167,
		Nets: []Net{
			{Row: "plain18", Preset: "imagenet-plain18"},
			{Row: "resnet18a", Preset: "imagenet-resnet18a", Residual: true},
			{Row: "plain34", Preset: "imagenet-plain34"},
			{Row: "resnet34a", Preset: "imagenet-resnet34a", Residual: true},
		},
	},
	{
		Name: "table6", Title: "Table 6: residual networks on CIFAR-10", Table: 6, Images: 50_000,
		Nets: []Net{
			{Row: "resnet20", Preset: "cifar20", Residual: true},
			{Row: "resnet32", Preset: "cifar32", Residual: true},
			{Row: "resnet44", Preset: "cifar44", Residual: true},
			{Row: "resnet56", Preset: "cifar56", Residual: true},
			// "best (mean±std)" of five runs.
			{Row: "resnet110", Preset: "cifar110", Residual: true},
			{Row: "resnet110", Preset: "cifar110", Residual: true, Seed: 2},
			{Row: "resnet110", Preset: "cifar110", Residual: true, Seed: 3},
			{Row: "resnet110", Preset: "cifar110", Residual: true, Seed: 4},
			{Row: "resnet110", Preset: "cifar110", Residual: true, Seed: 5},
			{Row: "resnet1202", Preset: "cifar1202", Residual: true},
		},
	},
}

// Studies are the names that PaperStudy takes.
func Studies() []string {
	var names []string
	for _, s := range studies {
		names = append(names, s.Name)
	}
	return names
}

// PaperStudy finds a study by name. It fails with ErrPlan.
func PaperStudy(name string) (Study, error) {
	for _, s := range studies {
		if s.Name != name {
			continue
		}
		s.Nets = slices.Clone(s.Nets)
		for i := range s.Nets {
			s.Nets[i].Seed = max(1, s.Nets[i].Seed)
		}
		return s, nil
	}
	return Study{}, fmt.Errorf("%w: no study %q%s: there are %v", ErrPlan, name, text.DidYouMean(name, Studies()), Studies())
}
