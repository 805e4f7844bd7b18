package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"resnet/internal/graph/kernel"
)

// version is set by the linker for a release (-X main.version=v1.2.3).
var version = "dev"

// versionInfo is `version --json`.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Tags     string `json:"tags"`
	Kernels  string `json:"kernels"`
}

func readVersion() versionInfo {
	v := versionInfo{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Kernels: kernel.Active()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v.Version == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		case "-tags":
			v.Tags = s.Value
		}
	}
	return v
}

func newVersionCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print version, Go release and kernels in use", Long: "Prints what this binary is." + exitHelp(),
		Example: "  resnet version\n  resnet version --json", Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			if asJSON {
				return a.printJSON(v)
			}
			rev := v.Revision
			if len(rev) > 12 {
				rev = rev[:12]
			}
			if rev != "" {
				rev = " (" + rev + ")"
			}
			_, err := fmt.Fprintf(a.out, "resnet %s%s, %s, %s/%s, kernels: %s\n", v.Version, rev, v.Go, v.OS, v.Arch, v.Kernels)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
